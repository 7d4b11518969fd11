"""The portrait model: the champions that answer for one customer, bundled to be served as one."""
