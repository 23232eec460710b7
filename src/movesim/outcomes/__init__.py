"""What is counted: records of a run, gaps between groups, and the comparison of scenarios.

Nothing is imported here, so that asking for one module does not load the others: `from movesim.outcomes.gaps import gaps`.
"""
