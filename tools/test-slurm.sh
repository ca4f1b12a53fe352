#!/usr/bin/env bash
# Test tools/slurm-sigma.sh with a real Slurm of one node, which it starts for itself and stops again: three shards, one of
# them killed midway and queued again, must add up to what one run gives.
#
#     tools/test-slurm.sh            # uses the release build, or the command that MARTLET names
#
# Skips with a message where Slurm (Debian: slurm-wlm) is not installed and cannot be.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "skipped: $*"
    exit 0
}
have_slurm() { command -v slurmctld slurmd sbatch munged >/dev/null; }
if ! have_slurm; then
    [[ -z ${MARTLET_SKIP_SYSTEM_PACKAGES:-} && $(id -u) == 0 ]] || skip "Slurm is not installed"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slurm-wlm munge >/dev/null 2>&1 || true
    have_slurm || skip "Slurm cannot be installed"
fi
martlet=${MARTLET:-$PWD/.build/release/martlet}
[[ -x $martlet ]] || skip "there is no $martlet; build it first"
model=$PWD/models/fashion-mnist-resnet.onnx

folder=$(mktemp -d /tmp/martlet-slurm.XXXXXX)
pids=()
finish() {
    status=$?
    ((status == 0)) || tail -n 20 "$folder"/*.log "$folder"/*/*.log 2>/dev/null
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT

# Slurm of one node, with everything of its own: key, socket, ports, state.
host=$(hostname -s)
user=$(id -un)
chmod 755 "$folder"
mkdir -p "$folder"/{munge,state,spool}
head -c 1024 /dev/urandom >"$folder/munge/key"
# Everyone may reach the socket, nobody else the key.
chmod 711 "$folder/munge"
chmod 600 "$folder/munge/key"
cat >"$folder/slurm.conf" <<CONF
ClusterName=martlet
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
SlurmctldPort=$((20000 + $$ % 10000))
SlurmdPort=$((30000 + $$ % 10000))
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=5
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES State=UP
CONF
export SLURM_CONF=$folder/slurm.conf
munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
    --pid-file="$folder/munge/pid" --log-file="$folder/munge.log" --seed-file="$folder/munge/seed" 2>"$folder/munged.err" &
pids+=($!)
for _ in $(seq 50); do [[ -S $folder/munge/socket ]] && break || sleep 0.1; done
slurmctld -D 2>>"$folder/slurmctld.err" &
pids+=($!)
slurmd -D -N "$host" 2>>"$folder/slurmd.err" &
pids+=($!)
for _ in $(seq 100); do [[ $(sinfo -h -o %T 2>/dev/null) == idle ]] && break || sleep 0.2; done
[[ $(sinfo -h -o %T 2>/dev/null) == idle ]] || {
    echo "Slurm did not start:" >&2
    cat "$folder"/*.log "$folder"/*.err >&2
    exit 1
}
echo "Slurm $(sinfo --version | cut -d' ' -f2) runs"

# Random images in the form of MNIST's.
images=6000
{
    printf '\x00\x00\x08\x03'
    printf "\\x00\\x00\\x$(printf %02x $((images / 256)))\\x$(printf %02x $((images % 256)))"
    printf '\x00\x00\x00\x1c\x00\x00\x00\x1c'
    head -c $((images * 784)) /dev/urandom
} >"$folder/train-images-idx3-ubyte"
data=$folder/train-images-idx3-ubyte

export MARTLET=$martlet
tools/slurm-sigma.sh 3 "$model" "$data" "$folder/all" --checkpoint-interval 0 | tee "$folder/jobs"
array=$(sed 's/shards \([0-9]*\),.*/\1/' "$folder/jobs")

# Kill the first shard midway.
for _ in $(seq 300); do [[ -e $folder/all.shards/1.safetensors.checkpoint ]] && break || sleep 0.1; done
[[ -e $folder/all.shards/1.safetensors.checkpoint && ! -e $folder/all.shards/1.safetensors ]]
scontrol requeue "${array}_1"
echo "shard 1 was killed midway and is queued again"
# Slurm lets a requeued job wait for two minutes; there is nothing to wait for here.
for _ in $(seq 600); do
    [[ -e $folder/all ]] && break
    scontrol update "jobid=${array}_1" starttime=now 2>/dev/null || true
    sleep 0.5
done
[[ -e $folder/all ]] || {
    squeue
    exit 1
}
"$martlet" sigma "$model" "$data" -o "$folder/one" >/dev/null 2>&1
python3 - "$folder/all" "$folder/one" <<'PYTHON'
import array
import json
import sys


def read(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        numbers = array.array("d")
        numbers.frombytes(file.read())
    return header, numbers


(merged, a), (whole, b) = read(sys.argv[1]), read(sys.argv[2])
worst = 0
for name, entry in whole.items():
    if name.endswith((".products", ".sums")):
        (start, end), (other, _) = entry["data_offsets"], merged[name]["data_offsets"]
        x, y = b[start // 8 : end // 8], a[other // 8 : (other + end - start) // 8]
        worst = max(worst, max(abs(p - q) for p, q in zip(x, y)) / max(abs(p) for p in x))
images = [header["__metadata__"]["martlet.images"] for header in (merged, whole)]
print(f"{images[0]} images in three shards, {images[1]} in one run; largest relative difference {worst:.1e}")
sys.exit(0 if worst < 1e-12 and images[0] == images[1] else 1)
PYTHON
