// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry for what reads /proc: the first byte chooses the parser, the rest is the file.
 *
 *   make fuzz && build/fuzz/fuzz_proc -close_fd_mask=2 -max_len=4096 -max_total_time=60
 */
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/units.h"
#include "proc/snapshot.h"
#include "proc/unlisted.h"
#include "sym/build_id.h"
#include "sym/kallsyms.h"

static void kallsyms(const char *buf, size_t len)
{
	struct kallsyms *ks = NULL;
	struct sym_ref ref;

	if (kallsyms_parse(buf, len, &ks))
		return;
	for (uint64_t addr = 1; addr; addr <<= 1)
		sym_resolve_return(ks, addr, &ref);
	kallsyms_free(ks);
}

static void words(const char *buf)
{
	int64_t bytes;
	double seconds;

	units_parse_size(buf, &bytes);
	units_parse_duration(buf, &seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unlisted unlisted = UNLISTED_NONE;
	struct snapshot s = {0};
	char hex[BUILD_ID_HEX_SIZE];
	size_t len = size - 1;
	char *buf;

	if (!size || !(buf = malloc(size)))
		return 0;
	memcpy(buf, data + 1, len);
	buf[len] = '\0'; /* as file_read() does */
	switch (data[0] % 10) {
	case 0:
		meminfo_parse(buf, len, &s.meminfo);
		break;
	case 1:
		vmstat_parse(buf, len, &s.vmstat);
		break;
	case 2:
		slabinfo_parse(buf, len, &s.slabs);
		break;
	case 3:
		zoneinfo_parse(buf, len, &s.zones);
		break;
	case 4:
		vmallocinfo_parse(buf, len, &s.vmallocs);
		break;
	case 5:
		sockstat_parse(buf, len, &unlisted);
		break;
	case 6:
		boot_messages_parse(buf, len, &unlisted);
		break;
	case 7:
		build_id_parse(buf, len, hex);
		break;
	case 8:
		kallsyms(buf, len);
		break;
	case 9:
		words(buf);
		break;
	}
	snapshot_free(&s);
	free(buf);
	return 0;
}
