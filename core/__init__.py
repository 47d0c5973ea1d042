"""What every room shares: money, periods, the clock, problems, paging and the key format."""
