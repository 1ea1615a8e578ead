"""Cases and expectations: run the steps of a case, compare, report."""
