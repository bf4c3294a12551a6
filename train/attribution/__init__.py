"""Which SNPs a network's predictions rest on, by several methods with one calling contract."""
