"""Plant faults in a small home and see that nothing is lost and nothing half-published: `make faults`."""
