"""Many runs: parameter draws, paired replicates, the result folder, comparisons, trials and the fit."""
