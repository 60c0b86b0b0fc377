"""Several trainings x several evaluations, from one plan: `lm-eval-ext train matrix PLAN`.

plan       a plan of `lm-eval-ext batch` with trainings
training   one training of it, in a folder of its own
matrix     all of it: trainings, the cells of their models, the report
"""
