"""Words and signs with their meanings: data that the later stages look up.

english  words of answers: numerals, units, properties, words to skip, words that no clause may lose
features names of what is asked for several at once: centre, radius, mean, variance
latex    LaTeX commands, Unicode signs and brackets, each with its token
"""
