"""The trading host: quotes out, signals in, orders to the broker, results back."""
