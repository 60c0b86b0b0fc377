"""`lm-eval-ext view`: a local page over a folder of runs.

Modules, in import order: `folder` (what is there), `index` (SQLite: where each sample is), `follow` (both, in
a thread), `query` (counts, pages, searches), `reading` (one response taken apart), `comparison` (two runs),
`pages` (HTML), `app` (HTTP).
"""
