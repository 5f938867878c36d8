"""What people command in comments, a verb a file (contract, section 8)."""
