"""Questions that interviewers ask, with worked answers."""
