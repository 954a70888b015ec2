// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removes the suffixes that gcc and clang append to the names of function clones. See normalise.h.
 */
#include "base/normalise.h"

#include "base/text.h"

static const char *const suffixes[] = {
	".isra", ".constprop", ".part", ".cold", ".llvm", ".lto_priv", ".localalias", ".__uniq",
};

/* Does this dot start a compiler suffix? "foo.partner" has none. */
static bool is_suffix(struct text rest)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (text_starts(rest, suffixes[i]) && (rest.len == n || rest.p[n] == '.'))
			return true;
	}
	return false;
}

void sym_normalise(const char *name, char *dst, size_t size)
{
	static const char noprof[] = "_noprof";
	struct text t = text_of(name);

	for (size_t i = 1; i < t.len; i++) {
		if (t.p[i] == '.' && is_suffix((struct text){t.p + i, t.len - i})) {
			t.len = i;
			break;
		}
	}
	if (t.len > strlen(noprof) &&
	    text_is((struct text){t.p + t.len - strlen(noprof), strlen(noprof)}, noprof))
		t.len -= strlen(noprof);
	text_copy(t, dst, size);
}
