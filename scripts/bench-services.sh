#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bench-services.sh [--rounds N] [--seconds S] [--warm W] [SERVICE...]: measure what tracing costs real services. Needs
# root; takes about 9 minutes. The services (default: all) are pgbench (SELECTs over open connections), pgbench-C (a
# connection per transaction), nginx (a connection per request), redis (SETs), and shell (starts /bin/true in a loop).
# They run as nobody, in a temporary directory, on a Unix socket or on loopback; the services of the host stay as they
# are. In each of N rounds (default 5) each service is measured for S seconds (default 3), W seconds (default 1) after
# the tracer started: with nothing, with the floor (an empty program on each event that kmemtrace uses), under kmemtrace
# in sampled and in exact mode, and under bcc's memleak, where it runs. At the end a table shows the throughput with
# each tracer as a part of that with nothing just before and after it, with 95 % intervals. Compare only within a table.
# `scripts/deps.sh services` installs what this needs.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

B=${B:-build}
all_services=(pgbench pgbench-C nginx redis shell)
rounds=5 seconds=3 warm=1
services=()
while [ $# -gt 0 ]; do
	case $1 in
	--rounds | --seconds | --warm)
		[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { echo "bench-services.sh: $1 needs a whole number from 1" >&2; exit 2; }
		declare "${1#--}=$2"
		shift
		;;
	--help | -h) sed -n '3,11s/^# //p' "$0"; exit 0 ;;
	-*) echo "bench-services.sh: unknown option $1; see --help" >&2; exit 2 ;;
	*)
		[[ " ${all_services[*]} " = *" $1 "* ]] ||
			{ echo "bench-services.sh: unknown service $1; there are: ${all_services[*]}" >&2; exit 2; }
		services+=("$1")
		;;
	esac
	shift
done
[ ${#services[@]} -gt 0 ] || services=("${all_services[@]}")
[ "$(id -u)" = 0 ] ||
	{ echo "bench-services.sh: needs root, because it attaches BPF programs: run it with sudo" >&2; exit 1; }
PATH=$PATH:/usr/sbin:$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
for command in initdb pgbench nginx redis-server ab setpriv; do
	command -v $command >/dev/null ||
		{ echo "bench-services.sh: there is no $command: run scripts/deps.sh services" >&2; exit 1; }
done
make -s all bench-tools >&2

work=$(mktemp -d)
export DIR=$work/services # of the services, and readable to nobody else
unprivileged=(setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs)
pids=()
finish() {
	# INT means for each of them: close the connections and end.
	[ ${#pids[@]} = 0 ] || kill -INT "${pids[@]}" 2>/dev/null || true
	wait
	rm -rf "$work" || { sleep 1; rm -rf "$work"; }
}
trap finish EXIT
chmod 711 "$work"
install -d -o nobody -g nogroup -m 700 "$DIR"

die() {
	echo "bench-services.sh: $1" >&2
	tail -5 "$work/log" >&2
	exit 1
}

# ---- services ----

# start COMMAND…: run a service in the background; service is its process.
start() {
	"${unprivileged[@]}" --pdeathsig INT "$@" >>"$work/log" 2>&1 </dev/null &
	service=$!
	pids+=("$service")
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_for NAME COMMAND…: wait until the command succeeds.
wait_for() {
	local name=$1 i
	shift
	for ((i = 0; i < 100; i++)); do
		kill -0 "$service" 2>/dev/null || die "$name ended at once:"
		if "$@" >/dev/null 2>&1; then return; fi
		sleep 0.1
	done
	die "$name does not answer:"
}

free_port() {
	local port
	for ((port = 20000 + RANDOM % 5000; port < 30000; port++)); do
		if ! answers $port; then echo $port; return; fi
	done
}

start_postgresql() {
	(cd "$DIR" && "${unprivileged[@]}" initdb -D "$DIR/data" -U bench -A trust -N) >>"$work/log" 2>&1 ||
		die "initdb failed:"
	start postgres -D "$DIR/data" -k "$DIR" -c listen_addresses= -c autovacuum=off -c fsync=off
	wait_for postgresql pg_isready -h "$DIR"
	"${unprivileged[@]}" pgbench -h "$DIR" -U bench -i -q -s 5 postgres >>"$work/log" 2>&1 || die "pgbench -i failed:"
}

start_nginx() {
	NGINX_PORT=$(free_port)
	install -d -m 755 "$DIR/www"
	head -c 4096 /dev/zero >"$DIR/www/file"
	cat >"$DIR/nginx.conf" <<-EOF
		daemon off;
		pid $DIR/nginx.pid;
		worker_processes 1;
		events { worker_connections 512; }
		http {
			access_log off;
			keepalive_timeout 0;
			client_body_temp_path $DIR/body;
			proxy_temp_path $DIR/proxy;
			fastcgi_temp_path $DIR/fastcgi;
			uwsgi_temp_path $DIR/uwsgi;
			scgi_temp_path $DIR/scgi;
			server { listen 127.0.0.1:$NGINX_PORT; root $DIR/www; }
		}
	EOF
	start nginx -e stderr -p "$DIR" -c "$DIR/nginx.conf"
	wait_for nginx answers "$NGINX_PORT"
}

start_redis() {
	REDIS_PORT=$(free_port)
	start redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --save '' --dir "$DIR"
	wait_for redis answers "$REDIS_PORT"
}

# ---- their clients: each prints how many operations a second it did in $1 seconds, and ends if this script ends ----

pgbench_rate() {
	setpriv --pdeathsig KILL pgbench -h "$DIR" -U bench -n -S -c 4 -T "$@" postgres | awk '/^tps/ { print $3 }'
}
client_pgbench() { pgbench_rate "$1"; }
client_pgbench-C() { pgbench_rate "$1" -C; }
client_nginx() {
	setpriv --pdeathsig KILL ab -q -t "$1" -n 1000000 -c 4 "http://127.0.0.1:$NGINX_PORT/file" |
		awk '/^Requests per second/ { print $4 }'
}
# It counts requests, not seconds.
client_redis() {
	setpriv --pdeathsig KILL redis-benchmark -p "$REDIS_PORT" -t set -d 512 -c 10 -n $((REDIS_RATE * $1)) --csv |
		awk -F'"' '$2 == "SET" { print $4 }'
}
client_shell() {
	local n=0 from=${EPOCHREALTIME/./} now=0
	while ((now < from + $1 * 1000000)); do
		/bin/true
		n=$((n + 1)) now=${EPOCHREALTIME/./}
	done
	awk -v n=$n -v us=$((now - from)) 'BEGIN { print n / us * 1e6 }'
}
# measure SERVICE WARM SECONDS
measure() {
	"client_$1" "$2" >/dev/null
	"client_$1" "$3"
}
export -f pgbench_rate client_pgbench client_pgbench-C client_nginx client_redis client_shell measure

# ---- tracers: each runs a command ----

kmemtrace=$B/kmemtrace
attach=$B/bench/bench_attach
mapfile -t events < <("$kmemtrace" doctor --format json | awk -F'"' '
	$2 == "name" { split($4, n, ":") }
	$2 == "how" && $4 == "raw_tp" && n[2] { print n[2] }') # those that record attaches to

run_nothing() { "$@"; }
run_floor() { "$attach" floor "${events[@]}" -- "$@"; }
run_sampled() { "$kmemtrace" record -q -f -o "$work/capture.kmt" -- "$@"; }
run_exact() { "$kmemtrace" record --exact -q -f -o "$work/capture.kmt" -- "$@"; }
# The message of memleak that it attaches comes before it attaches; its first report comes a second later.
run_memleak() {
	local pid status=0
	: >"$work/memleak"
	PYTHONUNBUFFERED=1 setpriv --pdeathsig TERM memleak-bpfcc 1 >"$work/memleak" 2>&1 &
	pid=$!
	until grep -q outstanding "$work/memleak"; do
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.1
	done
	"$@" || status=$?
	kill "$pid"
	wait "$pid" || true
	return $status
}

# take_turn TRACER SERVICE: prints the throughput.
take_turn() {
	# shellcheck disable=SC2016 # for the inner shell
	"run_$1" "${unprivileged[@]}" --pdeathsig KILL bash -c 'measure "$@"' - "$2" "$warm" "$seconds" 2>>"$work/log" |
		awk 'NF == 1 && $1 > 0'
}

tracers=(floor sampled exact)
memleak="there is no memleak-bpfcc"
if command -v memleak-bpfcc >/dev/null; then
	if run_memleak true; then
		tracers+=(memleak)
		memleak=
	else
		why=$(grep -m1 -E '^(Unable|Failed|Error)' "$work/memleak" || tail -1 "$work/memleak")
		memleak="memleak-bpfcc does not run here: ${why%%.*}"
	fi
fi

# ---- turns ----

# In every other round, the tracers take their turns in reverse order.
turns_of() { # ROUND
	local i n=${#tracers[@]}
	echo nothing
	for ((i = 0; i < n; i++)); do
		echo "${tracers[$1 % 2 ? i : n - 1 - i]}"
	done
}

if [[ " ${services[*]}" = *" pgbench"* ]]; then start_postgresql; fi
if [[ " ${services[*]} " = *" nginx "* ]]; then start_nginx; fi
if [[ " ${services[*]} " = *" redis "* ]]; then start_redis; fi
export NGINX_PORT=${NGINX_PORT-} REDIS_PORT=${REDIS_PORT-} REDIS_RATE=10000
if [ "$REDIS_PORT" ]; then REDIS_RATE=$(client_redis 1 | awk '{ print int($1) }'); fi

for service in "${services[@]}"; do
	n=0
	echo "bench-services.sh: $service" >&2
	for tracer in $(for ((round = 1; round <= rounds; round++)); do turns_of $round; done) nothing; do
		rate=$(take_turn "$tracer" "$service")
		[ "$rate" ] || die "$service gave no result with $tracer:"
		echo "$service $tracer $((n++)) $rate"
	done
done >"$work/turns"

# Compare each turn of a tracer with the turns of "nothing" before and after it: with the straight line between them.
awk '
	function quantile(df) { # of Student, 97.5 %
		return df in t ? t[df] : 1.96 + 2.6 / df
	}
	BEGIN { split("12.71 4.30 3.18 2.78 2.57 2.45 2.36 2.31 2.26 2.23", t, " ") }
	!($1 in seen) { seen[$1] = 1; services[++nr] = $1 }
	!($2 in traced) { traced[$2] = 1; tracers[++nt] = $2 }
	{ who[$1, $3] = $2; rate[$1, $3] = $4; turns[$1] = $3 }
	END {
		printf "%-10s %-8s %9s  %10s %6s\n", "SERVICE", "TRACER", "PER S", "OF NOTHING", "+/-"
		for (s = 1; s <= nr; s++)
			for (k = 1; k <= nt; k++)
				row(services[s], tracers[k])
	}
	function row(s, k,    i, n, sum, parts, squares, before, after, part) {
		for (i = 0; i <= turns[s]; i++) {
			if (who[s, i] != k)
				continue
			n++
			sum += rate[s, i]
			if (k == "nothing")
				continue
			for (before = i; who[s, before] != "nothing"; before--);
			for (after = i; who[s, after] != "nothing"; after++);
			part = rate[s, i] / (rate[s, before] + (rate[s, after] - rate[s, before]) * (i - before) / (after - before))
			parts += part
			squares += part ^ 2
		}
		printf "%-10s %-8s %9.1f  ", s, k, sum / n
		if (k == "nothing")
			printf "%10.3f\n", 1
		else if (n < 2)
			printf "%10.3f %6s\n", parts / n, "?"
		else
			printf "%10.3f %6.3f\n", parts / n, quantile(n - 1) * sqrt(((squares - parts ^ 2 / n) / (n - 1) + 1e-12) / n)
	}' "$work/turns"
[ -z "$memleak" ] || echo "memleak: $memleak"
printf '%s, Linux %s, %s x %s; %s rounds of %s s\n' "$(date -u +%F)" "$(uname -r)" "$(nproc)" \
	"$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" "$rounds" "$seconds"
