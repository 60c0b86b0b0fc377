"""Training data.

documents    problems with worked solutions, from the train splits
rows         the shapes of training rows
build        the rows that a recipe asks for
sampling     graded responses of a model: an evaluation run with repeats
distill      its right responses as training data
difficulty   pass@k per problem: a filter, a curriculum

`lm-eval-ext train data` has their commands.
"""
