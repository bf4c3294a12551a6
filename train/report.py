"""stub"""
def write_report(folder, console, path=None): pass
