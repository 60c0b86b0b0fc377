"""Two answers to an `Outcome`: whether they say the same, by which rule, and why.

Takes texts; each decision carries the id of its rule, registered on the function that decides.

answers         the face, `compare`: parts, words, choices; which outcome counts
solution_sets   two lists of solutions, matched one by one
canonical       lists brought to one form: sets opened, signs and permutations written out
solutions       one solution against another: unknowns by name or in order, letters renamed
ranges          the numbers over which the parameters of two families run
number_sets     sets of numbers given by conditions, intervals, lists
families        definitions by cases, values of an integer parameter
values          two values of any kind: groups, equations, units, ratios, rounding
expressions     whether two expressions are one function of their letters
relations       equations and inequalities up to a factor
points          where formulas and sets of numbers are compared
"""
