"""(to be filled)"""


def write(folder, plan, runs):
    pass
