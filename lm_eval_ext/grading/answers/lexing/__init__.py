"""Text in, a list of `Token` out: `lexer.tokens`. Raises Unreadable.

lexer  LaTeX, plain text and Unicode to tokens
words  what a run of letters is: a word, a function, or letters that are multiplied
"""
