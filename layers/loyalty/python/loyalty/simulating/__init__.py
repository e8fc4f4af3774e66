"""What other rules would have given: a period of activities, replayed under two versions of a program."""
