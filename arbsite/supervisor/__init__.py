"""Keeps web, workers, beat and sandbox alive on one machine (`manage.py up`).

`plan` says which processes, `child` is one of them, `run` keeps them alive, `probes` asks whether
they answer, `reports` tells the database and the dead man's switch, `holding` sees that there is
one supervisor a dataset and that nothing of a killed one lives on.
"""
