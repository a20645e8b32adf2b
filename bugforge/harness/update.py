"""The instrument of optimization: to which weights a few training steps lead."""

from dataclasses import replace

import torch

from .course import STEPS, TIGHT, Course, course_on, rows_at, take
from .job import Job, Recording
from .program import Program
from .weights import by_given_name
from .witness import Training


def update(program: Program, job: Job) -> Recording:
    """Three training steps on the only window of short data: gradients and parameters.

    A program that shifts in its loss may draw windows one token shorter, of which the short
    data holds two; it is given data that holds only one. A program that numbers its characters
    in another order is given the weights in that order.
    """
    seen = Recording()
    size = job.fields["block_size"]
    for tokens in (job.data[: size + 1], job.data[:size]):
        seen = Recording()
        course = course_on(job, tokens, size)
        trained = take(program, job, course)
        if not torch.equal(trained.order, course.order):
            course = replace(course, order=trained.order)
            trained = take(program, job, course)
        _follow(job, course, trained.training, seen, "whole")
        course = replace(course, grad_clip=TIGHT)
        _follow(job, course, take(program, job, course).training, seen, "clipped")
        if len(seen.facts.get("rows seen", [])) <= 1:
            break
    return seen


def update_by_segment(program: Program, job: Job) -> Recording:
    """As update, for each run of tokens that a right program may choose to learn from.

    A program that shifts in its loss learns one target fewer per window, the last or the first.
    """
    seen = update(program, job)
    size = job.fields["block_size"]
    for name, tokens in (("head", job.data[:size]), ("tail", job.data[1 : size + 1])):
        course = course_on(job, tokens, size - 1, block_size=size)
        _follow(job, course, take(program, job, course).training, seen, name)
        course = replace(course, grad_clip=TIGHT)
        _follow(job, course, take(program, job, course).training, seen, f"{name}-clipped")
    return seen


def _follow(job: Job, course: Course, training: Training, seen: Recording, label: str) -> None:
    """Record the gradients and parameters of each step, by the names and rows that are ours."""
    if training.model is None:
        return
    names = by_given_name(training.model, job.weights, job.pairing)
    for number, step in enumerate(training.steps[:STEPS], start=1):
        if step.rows:
            rows = course.order.argsort()[torch.cat(step.rows)]
            at = (job.data.unfold(0, rows.size(1), 1) == rows[0]).all(-1).int().argmax()
            seen.facts[f"{label}/first row"] = [int(at), rows.size(1)]
            # Of every step together: one step's rows may be alike by chance.
            known = {tuple(row) for row in seen.facts.get("rows seen", [])}
            seen.facts["rows seen"] = sorted(known | {tuple(row) for row in rows.tolist()})
        for part, values in (("after", step.after), ("gradient", step.gradients)):
            for own, value in values.items():
                given, shape = names[own]
                ours = rows_at(value.reshape(shape), course.order)
                seen.tensors[f"{label}/{part} {number}/{given}"] = ours
