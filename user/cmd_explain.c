// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace explain`: explains the words of a report. Options and wiring only. */
#include <argp.h>
#include <stdio.h>

#include "args.h"
#include "base/log.h"
#include "base/suggest.h"
#include "cmd.h"
#include "output.h"
#include "render/terms.h"

struct explain_args {
	char **words;
	size_t nr;
	char joined[64]; /* all words in one string, for terms of two words */
};

static const char doc[] =
	"Explain words that the other commands use. Without TERM, list all of them.\v"
	"Examples:\n"
	"  kmemtrace explain                 list all terms\n"
	"  kmemtrace explain residual        explain one\n"
	"  kmemtrace explain unseen-free leak   explain two\n\n"
	"Exit status: 0 on success; 2 if there is no such term.";

static error_t explain_parse_option(int key, char *arg, struct argp_state *state)
{
	struct explain_args *args = state->input;

	(void)arg;
	if (key != ARGP_KEY_ARGS)
		return ARGP_ERR_UNKNOWN;
	args->words = state->argv + state->next;
	args->nr = (size_t)(state->argc - state->next);
	for (size_t i = 0, at = 0; i < args->nr && at < sizeof(args->joined); i++)
		at += (size_t)snprintf(args->joined + at, sizeof(args->joined) - at, "%s%s",
				       i ? " " : "", args->words[i]);
	if (args->nr > 1 && term_find(args->joined)) {
		args->words[0] = args->joined;
		args->nr = 1;
	}
	return 0;
}

static int unknown_term(const char *word)
{
	struct suggestion s = {0};

	for (size_t i = 0; i < nr_terms; i++)
		suggest_try(&s, word, terms[i].name);
	if (s.word)
		log_error(0, "no term '%s'; did you mean '%s'? `kmemtrace explain` lists all", word,
			  s.word);
	else
		log_error(0, "no term '%s'; `kmemtrace explain` lists all", word);
	return EXIT_USAGE;
}

static int explain_render(const void *arg, FILE *out)
{
	const struct explain_args *args = arg;
	struct page p;

	page_begin(&p, out, output_wants_colour(), output_is_utf8());
	for (size_t i = 0; i < args->nr; i++)
		term_text(&p, term_find(args->words[i]));
	if (!args->nr)
		terms_list(&p);
	return page_end(&p);
}

int cmd_explain(int argc, char **argv)
{
	const struct argp argp = {.parser = explain_parse_option,
				  .args_doc = "[TERM...]",
				  .doc = doc,
				  .children = args_document};
	struct explain_args args = {0};

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	for (size_t i = 0; i < args.nr; i++)
		if (!term_find(args.words[i]))
			return unknown_term(args.words[i]);
	return output_document("explanation", explain_render, &args) ? EXIT_FAILED : EXIT_OK;
}
