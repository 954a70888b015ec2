# SPDX-License-Identifier: GPL-2.0-only
# For bench.sh: turn lines "ROUND TRACER WORKLOAD NS", then lines "WHAT WORKLOAD VALUE" about programs, into tables or JSON.

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

# the mean of the middle four fifths, so that rounds with disturbances do not count
function middle(text,    a, n, g, i, sum)
{
	n = sorted(text, a)
	g = int(n / 10)
	for (i = g + 1; i <= n - g; i++)
		sum += a[i]
	return n ? sum / (n - 2 * g) : 0
}

# half of its 95 % interval (Tukey and McLaughlin 1963, from the winsorized variance); 0, for unknown, with a single value
function half(text,    a, n, g, i, v, sum, squares)
{
	n = sorted(text, a)
	g = int(n / 10)
	for (i = 1; i <= n; i++) {
		v = a[i <= g ? g + 1 : i > n - g ? n - g : i]
		sum += v
		squares += v ^ 2
	}
	return n > 1 ? 1.96 * sqrt((squares - sum ^ 2 / n) / (n - 1) + 1e-9) * sqrt(n) / (n - 2 * g) : 0
}

# the additional time of tracer t compared with tracer f, round by round
function more(t, f, w,    r, list)
{
	for (r = 1; r <= close_rounds + peer_rounds; r++)
		if ((t, w, r) in time && (f, w, r) in time)
			list = list " " (time[t, w, r] - time[f, w, r])
	return list
}

function added(t, w)
{
	return middle(more(t, "nothing", w))
}

# what it adds as a fraction of what the floor adds, with half of the 95 % interval; other tracers have their own rounds
function part(t, w,    list)
{
	list = more(t, "floor", w)
	if (added("floor", w) <= 0)
		return -1
	return list ? 1 + middle(list) / added("floor", w) : added(t, w) / added("floor", w)
}

function part_half(t, w,    floor, list)
{
	floor = added("floor", w)
	list = more(t, "floor", w)
	if (t == "floor" || t == "nothing" || floor <= 0 || !half(list))
		return 0
	return sqrt(half(list) ^ 2 + ((part(t, w) - 1) * half(more("floor", "nothing", w))) ^ 2) / floor
}

# the value, or unknown if it is 0
function known(value, format, otherwise)
{
	return value > 0 ? sprintf(format, value) : otherwise
}

function ratio(a, b)
{
	return b > 0 ? sprintf("%.2f", a / b) : "-"
}

FNR == NR {
	time[$2, $3, $1] = $4
	times[$2, $3] = times[$2, $3] " " $4
	if (!($2 in tracer_seen)) { tracer_seen[$2]; tracer[++tracers] = $2 }
	if (!($3 in load_seen)) { load_seen[$3]; load[++loads] = $3 }
	next
}
$1 == "held" { held[$2] = held[$2] " " $3; next }
$1 == "floor" || $1 == "target" || $1 == "limit" { window[$1, $2] = $3; if ($2 > windows) windows = $2; next }
{ program[$1, $2] = $3 }

function hit_rate(w)
{
	return 100 * program["unwind_hits", w] / (program["unwind_hits", w] + program["unwind_misses", w] + 1e-9)
}

# the load in the nth window of 5 s
function phase(n)
{
	return n < 3 || n > 6 ? "idle" : n < 5 ? "paced" : "full"
}

function as_json(    i, j, w, t)
{
	printf "{\n  \"schema\": 1,\n  \"date\": \"%s\",\n  \"kernel\": \"%s\",\n  \"cpu\": \"%s\",\n", date, release, model
	printf "  \"cpus\": %d,\n  \"rounds\": %d,\n  \"floor_and_sampled_rounds\": %d,\n  \"events\": %d,\n  \"workloads\": [\n", \
		cpus, rounds, close_rounds, events
	for (i = 1; i <= loads; i++) {
		w = load[i]
		printf "    {\"name\": \"%s\", \"tracers\": [", w
		for (j = 1; j <= tracers; j++) {
			t = tracer[j]
			if ((t, w) in times)
				printf "%s\n      {\"name\": \"%s\", \"ns\": %.1f, \"added_ns\": %.1f, \"added_half_interval_ns\": %s, \"of_floor\": %s, \"of_floor_half_interval\": %s}", \
					(j > 1 ? "," : ""), t, median(times[t, w]), added(t, w), \
					known(half(more(t, "nothing", w)), "%.1f", "null"), known(part(t, w), "%.3f", "null"), \
					known(part_half(t, w), "%.3f", "null")
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
		printf "%s{\"load\": \"%s\", \"percent\": %.2f, \"limited_percent\": %.2f, \"floor_percent\": %.2f}", \
			(i > 1 ? ", " : ""), phase(i), window["target", i], window["limit", i], window["floor", i]
	print "]\n}"
}

function as_text(    i, j, w, t, ns, more_ns)
{
	printf "%s, kernel %s, %d × %s, %d rounds, of floor and sampled %d,\nfloor: empty programs on %d events, focused on %s\n\n", \
		date, release, cpus, model, rounds, close_rounds, events, idle
	printf "%-10s %-9s %12s %9s %10s %8s %8s %6s %11s\n", "WORKLOAD", "TRACER", "NS/ITERATION", "/NOTHING", \
		"ADDED", "+/-", "/FLOOR", "+/-", "OF CLASSIC"
	for (i = 1; i <= loads; i++) {
		w = load[i]
		for (j = 1; j <= tracers; j++) {
			t = tracer[j]
			if (!((t, w) in times))
				continue
			ns = median(times[t, w])
			more_ns = j > 1 ? added(t, w) : 0
			printf "%-10s %-9s %12.1f %9s", w, t, ns, ratio(ns, median(times["nothing", w]))
			if (j > 1)
				printf " %10.1f %8s %8s %6s %11s", more_ns, known(half(more(t, "nothing", w)), "%.1f", "-"), \
					known(part(t, w), "%.2f", "-"), known(part_half(t, w), "%.2f", ""), \
					(more_ns > 0 && ("classic", w) in times ? "1/" sprintf("%.1f", added("classic", w) / more_ns) : "")
			printf "\n"
		}
	}
	printf "\nADDED is the difference to nothing attached in the same round. /FLOOR and OF CLASSIC compare ADDED.\n"
	printf "95 of 100 such runs are within +/-.\n"
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
	for (j = 1; j <= 3; j++) {
		t = j == 1 ? "floor" : j == 2 ? "target" : "limit"
		printf "\n%-30s", j == 1 ? "empty programs" : j == 2 ? "sampled" : "sampled, --max-overhead 1"
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
