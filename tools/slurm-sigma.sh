#!/usr/bin/env bash
# Gather Sigma on a Slurm cluster: an array job of shards, and a job that merges them when all are done.
#
#     tools/slurm-sigma.sh SHARDS MODEL DATA OUTPUT [option of martlet sigma...]
#
#     SBATCH_OPTIONS="--partition=short --time=1:00:00 --cpus-per-task=4" \
#         tools/slurm-sigma.sh 64 net.onnx /data/images all.safetensors --preset imagenet
#
# Prints the numbers of the two jobs. The shards wait in OUTPUT.shards, on storage that all nodes share. A shard that is
# stopped (its time runs out, its node is wanted for something else, `scontrol requeue`) leaves a checkpoint, is queued
# again and goes on from there. Calling the script again with the same arguments redoes only what is missing. MARTLET
# names the command, `martlet` unless told.
set -euo pipefail

(($# >= 4)) || {
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2
    exit 64
}
shards=$1 model=$2 data=$3 output=$4
shift 4
martlet=${MARTLET:-martlet}
command -v "$martlet" >/dev/null || {
    echo "slurm-sigma: $martlet was not found; name it with MARTLET" >&2
    exit 1
}
mkdir -p "$output.shards"

# Words of the arguments as a shell reads them, for the scripts below.
quoted() { printf '%q ' "$@"; }

# The shell stays, hands the signal on and queues the shard again if Martlet has put its sums by.
array=$(
    # shellcheck disable=SC2086
    sbatch --parsable ${SBATCH_OPTIONS:-} --array="1-$shards" --requeue --open-mode=append --signal=B:TERM@120 \
        --job-name=martlet-sigma --output="$output.shards/%a.log" <<SCRIPT
#!/usr/bin/env bash
shard=$(quoted "$output.shards")
shard=\${shard% }/\$SLURM_ARRAY_TASK_ID.safetensors
[ -e "\$shard" ] && exit 0
trap 'kill -TERM \$child' TERM
$(quoted "$martlet" sigma "$model" "$data" -o) "\$shard" --shard "\$SLURM_ARRAY_TASK_ID/$shards" --resume \\
    --threads "\${SLURM_CPUS_PER_TASK:-1}" $(quoted "$@") &
child=\$!
wait \$child
status=\$?
# A signal ends the wait before the child has put its sums by.
while kill -0 \$child 2>/dev/null; do wait \$child; status=\$?; done
if [ \$status = 143 ]; then scontrol requeue "\$SLURM_JOB_ID"; fi
exit \$status
SCRIPT
)
merge=$(
    # shellcheck disable=SC2086
    sbatch --parsable ${SBATCH_OPTIONS:-} --dependency="afterok:$array" --kill-on-invalid-dep=yes --requeue \
        --job-name=martlet-merge --output="$output.shards/merge.log" <<SCRIPT
#!/usr/bin/env bash
set -e
cd $(quoted "$PWD")
$(quoted "$martlet" sigma merge -o "$output") $(for i in $(seq "$shards"); do quoted "$output.shards/$i.safetensors"; done)
rm -r $(quoted "$output.shards")
SCRIPT
)
echo "shards $array, merge $merge"
