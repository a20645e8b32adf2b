"""The instrument of optimization: to which weights a few training steps lead."""

from dataclasses import replace

import torch

from .course import TIGHT, Course, course_on, rows_at, take
from .job import Job, Recording
from .program import Program
from .weights import by_given_name, in_thirds
from .witness import Training

COMPARED = 3
"""Steps whose outcome is recorded."""


def update(program: Program, job: Job) -> Recording:
    """A few training steps on the only window of short data: losses, gradients and parameters.

    A program that numbers its characters in another order is given the weights in that order.
    """
    seen = Recording()
    size = job.fields["block_size"]
    course = course_on(job, job.data[: size + 1], size)
    trained = take(program, job, course)
    if not torch.equal(trained.order, course.order):
        course = replace(course, order=trained.order)
        trained = take(program, job, course)
    seen.facts["losses"] = trained.losses
    _follow(job, course, trained.training, seen, "whole")
    course = replace(course, grad_clip=TIGHT)
    _follow(job, course, take(program, job, course).training, seen, "clipped")
    return seen


def _follow(job: Job, course: Course, training: Training, seen: Recording, label: str) -> None:
    """Record the gradients and parameters of each step, by the names and rows that are ours."""
    if training.model is None:
        return
    names = by_given_name(training.model, job.weights, job.pairing)
    for number, step in enumerate(training.steps[:COMPARED], start=1):
        for part, values in (("after", step.after), ("gradient", step.gradients)):
            for own, value in in_thirds(values, job.pairing.width).items():
                place = names[own]
                ours = rows_at(place.read(value), course.order)
                seen.tensors[f"{label}/{part} {number}/{place.name}"] = ours
