"""The value of an expression: exact or to any precision, within a budget of operations.

Takes syntax nodes; an `Evaluator` returns numbers and truth values, or raises an `AnswerError`.

numbers     exact fractions, else mpmath numbers of 60 digits; whether two are equal or in order
operations  the table of operations and functions, bounded before they build a number
evaluate    `Evaluator`: the value at a point, equality to any precision, residues of huge numbers
predicates  whether a condition holds: relations, properties in words, membership
"""
