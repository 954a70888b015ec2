// SPDX-License-Identifier: GPL-2.0-only
/*
 * jsonq FILE PATH: print one value of a JSON document, for the guests' suite, which has no jq. PATH
 * consists of names and indexes joined by '.'; "name=value" selects the first object of an array
 * with that member: pools.name=Slab.delta_kb. Strings, numbers and booleans are printed as they
 * are; of an array or object the length is printed. A final "*" prints the elements of an array,
 * one per line. jsonq FILE PATH NAME...: print a line for each object of an array, with these
 * members separated by tabs. An array is printed as its elements, separated by blanks; a missing
 * value as
 * "-". Exits with 1 if there is no such value, with 2 if the file is not JSON.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *array_find(json_t *array, const char *name, const char *value)
{
	json_t *element;
	size_t i;

	json_array_foreach(array, i, element)
	{
		const char *got = json_string_value(json_object_get(element, name));

		if (got && !strcmp(got, value))
			return element;
	}
	return NULL;
}

static json_t *step(json_t *at, char *part)
{
	char *end, *value;
	unsigned long index;

	if (json_is_object(at))
		return json_object_get(at, part);
	value = strchr(part, '=');
	if (value) {
		*value++ = '\0';
		return array_find(at, part, value);
	}
	index = strtoul(part, &end, 10);
	return *part && !*end ? json_array_get(at, index) : NULL;
}

static void value_print(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		puts(json_string_value(value));
		break;
	case JSON_INTEGER:
		printf("%lld\n", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		printf("%.10g\n", json_real_value(value));
		break;
	case JSON_ARRAY:
		printf("%zu\n", json_array_size(value));
		break;
	case JSON_OBJECT:
		printf("%zu\n", json_object_size(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		puts(json_is_true(value) ? "true" : "false");
		break;
	default:
		puts("null");
	}
}

static void elements_print(json_t *array)
{
	json_t *element;
	size_t i;

	json_array_foreach(array, i, element) value_print(element);
}

static void member_print(const json_t *value)
{
	const json_t *element;
	size_t i;

	if (json_is_string(value))
		printf("%s", *json_string_value(value) ? json_string_value(value) : "-");
	else if (json_is_number(value))
		printf("%.10g", json_number_value(value));
	else if (json_is_boolean(value))
		printf("%s", json_is_true(value) ? "true" : "false");
	else if (!json_is_array(value) || !json_array_size(value))
		printf("-");
	json_array_foreach(value, i, element)
	{
		printf("%s", i ? " " : "");
		member_print(element);
	}
}

static void rows_print(const json_t *array, char **names, int nr)
{
	const json_t *element;
	size_t i;

	json_array_foreach(array, i, element) for (int n = 0; n < nr; n++)
	{
		member_print(json_object_get(element, names[n]));
		putchar(n + 1 < nr ? '\t' : '\n');
	}
}

int main(int argc, char **argv)
{
	json_t *root, *at;
	json_error_t error;
	char *part = NULL, *rest;

	if (argc < 3) {
		fprintf(stderr, "usage: jsonq FILE PATH [NAME...]\n");
		return 2;
	}
	root = json_load_file(argv[1], 0, &error);
	if (!root) {
		fprintf(stderr, "jsonq: %s:%d: %s\n", argv[1], error.line, error.text);
		return 2;
	}
	rest = argv[2];
	for (at = root; at && (part = strsep(&rest, ".")) && strcmp(part, "*");)
		at = step(at, part);
	if (at && argc > 3)
		rows_print(at, argv + 3, argc - 3);
	else if (at && part)
		elements_print(at);
	else if (at)
		value_print(at);
	json_decref(root);
	return at ? 0 : 1;
}
