"""Pictures: a tidy frame in, a Plotly figure out. This room knows no other."""
