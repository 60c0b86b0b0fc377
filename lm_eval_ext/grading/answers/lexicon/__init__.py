"""Words and signs with their meanings: data that the later stages look up.

english  words of answers: numerals, units, properties, words to skip, words that no clause may lose
latex    LaTeX commands, Unicode signs and brackets, each with its token
"""
