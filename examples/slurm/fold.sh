#!/usr/bin/env bash
# One fold, the one whose number the array gives; see submit.sh.
set -euo pipefail
exec python -m train run "$@" --fold "$SLURM_ARRAY_TASK_ID" --jobs 1 --threads "${SLURM_CPUS_PER_TASK:-1}"
