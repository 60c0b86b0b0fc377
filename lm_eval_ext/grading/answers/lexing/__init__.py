"""Text in, a list of `Token` out: `lexer.tokens`. Raises Unreadable.

spelling  other spellings as the usual one; `heads` for names, `bounds` for inequalities in words
lexer     LaTeX, plain text and Unicode to tokens
words     what a run of letters is: a word, a function, or letters that are multiplied
"""
