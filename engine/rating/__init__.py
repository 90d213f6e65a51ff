"""Rating: what a transaction costs. Usage and a tariff in, money out; pure, exact, and the same piece by piece."""
