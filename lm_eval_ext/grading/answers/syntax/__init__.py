"""Tokens in, one expression or relation out: `grammar.parse`. Raises Unreadable.

A table of rules names the function that parses what begins with each token, or follows a node.

nodes         Number, Symbol, Call, Quantity, Group, Relation: what text is parsed into
token_stream  tokens with a position
parser        sums and products by precedence; looks up the rules
grammar       the table of rules
products      what follows a factor: signs, letters side by side, mixed numbers
quantities    what follows a value: powers, factorials, number bases, units
letters       letters with what hangs on them: a_1, f(x)
functions     fractions, roots, logarithms, sums
brackets      groups, sets, intervals, matrices, absolute values
relations     chains of =, <, ∈, ≡; ratios and residues
sets          domains, unions, differences
"""
