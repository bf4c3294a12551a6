#!/usr/bin/env bash
# Train every fold as a job of its own, then write the bundle.
#   examples/slurm/submit.sh N_FOLDS NAME FILE OPTION…
# N_FOLDS jobs train a fold each, in runs/NAME; one more, when all have ended well, writes
# models/NAME. FILE and the options are those of 'python -m train run', without --out and --fold:
#   examples/slurm/submit.sh 10 my-yield panel.vcf.gz --phenotypes yield.csv --trait yield \
#       --unit t/ha --folds random
# A fold that was killed continues with the same command; finished folds are not trained again.
set -euo pipefail
n_folds=$1 name=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
folds=$(sbatch --parsable --job-name "$name" --array "1-$n_folds" --cpus-per-task 2 --mem 4G \
    --time 2:00:00 "$here/fold.sh" "$@" --out "models/$name")
sbatch --parsable --job-name "$name-bundle" --dependency "afterok:$folds" --mem 4G --time 0:30:00 \
    --wrap "python -m train summarize 'runs/$name'"
