# SPDX-License-Identifier: GPL-2.0-only
# For bench.sh: "TRACER WORKLOAD NS" lines, then "WHAT WORKLOAD VALUE" lines about programs, to tables or JSON.

function sorted(text, a,    n, i, j, v)
{
	n = split(text, a, " ")
	for (i = 2; i <= n; i++) {
		v = a[i] + 0
		for (j = i - 1; j >= 1 && a[j] + 0 > v; j--)
			a[j + 1] = a[j]
		a[j + 1] = v
	}
	return n
}

function median(text,    a, n)
{
	n = sorted(text, a)
	return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}

# half the 95 % interval of the median of values spread like a normal distribution; of a single one nothing is known: 0
function half(text,    a, n, i, sum, squares)
{
	n = split(text, a, " ")
	for (i = 1; i <= n; i++) {
		sum += a[i]
		squares += a[i] ^ 2
	}
	return n > 1 ? 1.96 * 1.2533 * sqrt(squares / n - (sum / n) ^ 2 + 1e-9) / sqrt(n - 1) : 0
}

# the same of what tracer t adds to workload w as a part of what tracer f adds
function part_half(t, f, w,    base, added, part)
{
	base = median(times["nothing", w])
	added = median(times[f, w]) - base
	if (t == f || t == "nothing" || added <= 0 || !half(times[t, w]))
		return 0
	part = (median(times[t, w]) - base) / added
	return sqrt(half(times[t, w]) ^ 2 + (part * half(times[f, w])) ^ 2 + \
		((1 - part) * half(times["nothing", w])) ^ 2) / added
}

# what is known of it: 0 is not
function known(value, format, otherwise)
{
	return value > 0 ? sprintf(format, value) : otherwise
}

function ratio(a, b)
{
	return b > 0 ? sprintf("%.2f", a / b) : "-"
}

FNR == NR {
	times[$1, $2] = times[$1, $2] " " $3
	if (!($1 in tracer_seen)) { tracer_seen[$1]; tracer[++tracers] = $1 }
	if (!($2 in load_seen)) { load_seen[$2]; load[++loads] = $2 }
	next
}
$1 == "held" { held[$2] = held[$2] " " $3; next }
$1 == "floor" || $1 == "governed" { window[$1, $2] = $3; if ($2 > windows) windows = $2; next }
{ program[$1, $2] = $3 }

function hit_rate(w)
{
	return 100 * program["unwind_hits", w] / (program["unwind_hits", w] + program["unwind_misses", w] + 1e-9)
}

# what the machine did in the nth window of 5 s
function phase(n)
{
	return n < 3 || n > 6 ? "idle" : n < 5 ? "paced" : "full"
}

function as_json(    i, j, w, t)
{
	printf "{\n  \"schema\": 1,\n  \"date\": \"%s\",\n  \"kernel\": \"%s\",\n  \"cpu\": \"%s\",\n", date, release, model
	printf "  \"cpus\": %d,\n  \"rounds\": %d,\n  \"events\": %d,\n  \"workloads\": [\n", cpus, rounds, events
	for (i = 1; i <= loads; i++) {
		w = load[i]
		printf "    {\"name\": \"%s\", \"tracers\": [", w
		for (j = 1; j <= tracers; j++) {
			t = tracer[j]
			if ((t, w) in times)
				printf "%s\n      {\"name\": \"%s\", \"ns\": %.1f, \"half_interval_ns\": %s, \"added_ns\": %.1f, \"of_floor_half_interval\": %s}", \
					(j > 1 ? "," : ""), t, median(times[t, w]), known(half(times[t, w]), "%.1f", "null"), \
					median(times[t, w]) - median(times["nothing", w]), \
					known(part_half(t, "floor", w), "%.3f", "null")
		}
		printf "],\n     \"program_ns\": {\"empty\": %.1f, \"sampled\": %.1f, \"exact\": %.1f},\n", \
			program["empty", w], program["sampled", w], program["exact", w]
		printf "     \"unwinder\": {\"hits\": %d, \"misses\": %d, \"audited\": %d, \"disagreed\": %d}}%s\n", \
			program["unwind_hits", w], program["unwind_misses", w], program["unwind_audited", w], \
			program["unwind_disagreed", w], (i < loads ? "," : "")
	}
	printf "  ],\n  \"msg_ns_by_live_objects\": {\"1000\": %.1f, \"1000000\": %.1f},\n  \"governor\": [", \
		median(held[1000]), median(held[1000000])
	for (i = 1; i <= windows; i++)
		printf "%s{\"load\": \"%s\", \"percent\": %.2f, \"floor_percent\": %.2f}", (i > 1 ? ", " : ""), \
			phase(i), window["governed", i], window["floor", i]
	print "]\n}"
}

function as_text(    i, j, w, t, base, floor, classic, m)
{
	printf "%s, kernel %s, %d × %s, %d rounds, floor: empty programs on %d events, focused on %s\n\n", \
		date, release, cpus, model, rounds, events, idle
	printf "%-10s %-9s %12s %8s %10s %9s %8s %6s %11s\n", "WORKLOAD", "TRACER", "NS/ITERATION", "+/-", \
		"ADDED", "/NOTHING", "/FLOOR", "+/-", "OF CLASSIC"
	for (i = 1; i <= loads; i++) {
		w = load[i]
		base = median(times["nothing", w])
		floor = median(times["floor", w]) - base
		classic = median(times["classic", w]) - base
		for (j = 1; j <= tracers; j++) {
			t = tracer[j]
			if (!((t, w) in times))
				continue
			m = median(times[t, w])
			printf "%-10s %-9s %12.1f %8s %10.1f %9s %8s %6s %11s\n", w, t, m, known(half(times[t, w]), "%.1f", "-"), \
				m - base, ratio(m, base), (j > 1 ? ratio(m - base, floor) : ""), \
				known(part_half(t, "floor", w), "%.2f", ""), \
				(j > 1 && m > base ? "1/" sprintf("%.1f", classic / (m - base)) : "")
		}
	}
	printf "\nADDED is to nothing attached; /FLOOR and OF CLASSIC compare what is added. +/- holds 95 of 100 such runs.\n"
	printf "\n%-10s %13s %15s %13s %15s %14s %8s %10s\n", "WORKLOAD", "EMPTY NS/RUN", "SAMPLED NS/RUN", \
		"EXACT NS/RUN", "EXACT NS/ALLOC", "UNWINDER HITS", "AUDITED", "DISAGREED"
	for (i = 1; i <= loads; i++) {
		w = load[i]
		printf "%-10s %13.1f %15.1f %13.1f %15.1f %12.2f %% %8d %10d\n", w, program["empty", w], \
			program["sampled", w], program["exact", w], program["exact_alloc", w], hit_rate(w), \
			program["unwind_audited", w], program["unwind_disagreed", w]
	}
	printf "\nmsg, exact, with a thousand other objects live: %.1f ns, with a million: %.1f ns\n", \
		median(held[1000]), median(held[1000000])
	printf "\n%-29s", "percent of all CPU time in 5 s"
	for (i = 1; i <= windows; i++)
		printf "%7s", phase(i)
	for (j = 1; j <= 2; j++) {
		t = j == 1 ? "floor" : "governed"
		printf "\n%-30s", j == 1 ? "empty programs" : "sampled, --max-overhead 1"
		for (i = 1; i <= windows; i++)
			printf "%7.2f", window[t, i]
	}
	printf "\n"
}

END {
	if (json)
		as_json()
	else
		as_text()
}
