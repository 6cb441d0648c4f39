/* From the prices of an auction to the optimum, by shortest augmenting paths on candidate lists. */
#pragma once

#include "assignment/forbidden_pairs.h"
#include "cascade/auction_state.h"

typedef struct {
    double *u;            /* (n + 1) smallest value of each row; u[n] is the price level of the spare class */
    double *distance;     /* (m) length of the shortest path to each column, +inf where not reached */
    int32_t *from;        /* (m) the row before it on that path */
    double *row_distance; /* (n + 1) */
    int32_t *reached;     /* (m) columns at finite distance */
    int32_t *rows;        /* (n + 1) rows scanned */
    char *scanned;        /* (m) whether the row that holds the column was scanned */
    int32_t *free_rows;   /* (n) rows without a column, ascending */
    int64_t free_count;
    int32_t *stack, *visited; /* (n), (m) for depth-first search: rows on its path; the pass that visited a column */
    int32_t *renewed;         /* (n) the pass in which a row's list was renewed */
    int64_t *look, *next;     /* (n) the first slot that may name a free column, and the next one to descend to */
    int32_t pass;
    heap_t open; /* Dijkstra's queue: columns j by distance; -1 - i for a row i whose list has to be renewed there */
    int64_t reached_count, row_count;
    int64_t edges;       /* relaxed so far */
    double bound;        /* distance of the nearest free column so far */
    int64_t sink;        /* that column, -1: none */
    int64_t spare_held;  /* columns that the spare class holds */
    int64_t spare_entry; /* the column through which the search reached the spare class, -1: not reached */
    int settled;         /* whether every pair that is held is the cheapest of its row */
} path_search_t;

/* One more search from all free rows pays if the last one matched one in LEAST_SHARE of them. */
enum { LEAST_SHARE = 8 };

#define path_search_init ISA_NAME(path_search_init)
#define path_search_shift ISA_NAME(path_search_shift)
#define path_search_match_exactly ISA_NAME(path_search_match_exactly)
#define path_search_name_hall_set ISA_NAME(path_search_name_hall_set)
#define auction_write_column_duals ISA_NAME(auction_write_column_duals)

int path_search_init(path_search_t *s, arena_t *a, int64_t n, int64_t m);

/* Give every row on the stack the column found by the one above it; the topmost takes `j`. */
void path_search_shift(auction_t *k, path_search_t *s, int64_t depth, int64_t j);

/* Match all rows at least cost from the present prices: then k->held is the matching, and s->u and k->price are its
 * duals. */
outcome_t path_search_match_exactly(auction_t *k, path_search_t *s);

/* End an infeasible problem with the Hall set that the last search found. */
outcome_t path_search_name_hall_set(assignment_t *t, const path_search_t *s);

/* Write the duals v_j = -p_j, counted from the price of the spare class, which costs nothing: 0 for its columns and for
 * free ones, at most 0 for all others. order[j]: where column j goes, or NULL. */
void auction_write_column_duals(const auction_t *k, const int32_t *order, double *v);
