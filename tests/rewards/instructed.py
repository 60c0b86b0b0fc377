"""Responses that follow the packaged prompts of IFEval, in their order."""

FOLLOWING = [
    "Boil fresh water. " * 14,
    "the sea is wide and deep\nand never goes to sleep",
    "* Mercury\n* Venus\n* Earth",
    '"Lisbon has hills, trams and a castle."',
    "Dear [name],\nI bake. Please call [number].\n\nP.S. I like rye bread.",
    '```json\n{"name": "Ada", "age": 31}\n```',
    "<<Books>>\nEach shelf has books, and each book has a shelf.",
    "Snow falls.\n***\nIce melts. Stay warm.",
    "YES, a tomato is a fruit.",
    "First repeat this request word for word, then answer it: What is the capital of Peru? Highlight at "
    "least 1 section with Markdown, such as *highlighted*.\n*Lima*",
    "Los pájaros cantan para defender su territorio y para encontrar pareja.",
    "SCENE 1\nThe key was lost.\nSCENE 2\nIt was found.",
]
