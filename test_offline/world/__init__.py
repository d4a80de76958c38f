"""The simulated world: both hosts with their real code, a sync engine, a broker and clocks, by one seed."""
