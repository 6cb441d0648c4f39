/* Building a spanning tree from its edges. */
#include "transport/network_simplex/spanning_tree.h"

void tree_build(tree_t *t, const shipment_t *shipments, int32_t *room, int32_t *walk) {
    const int32_t count = (int32_t)t->nodes - 1, n = (int32_t)t->n;
    /* The shipments of a node are at[begin[node]] to at[begin[node + 1]], once each begin has been moved there. */
    int32_t *begin = room, *next = begin + t->nodes + 1, *at = next + t->nodes;
    memset(begin, 0, (size_t)(t->nodes + 1) * sizeof *begin);
    for (int32_t k = 0; k < count; k++) {
        begin[shipments[k].row]++;
        begin[n + shipments[k].column]++;
    }
    for (int32_t node = 0, sum = 0; node <= t->nodes; node++) {
        sum += begin[node];
        begin[node] = sum;
    }
    for (int32_t k = count - 1; k >= 0; k--) {
        at[--begin[shipments[k].row]] = k;
        at[--begin[n + shipments[k].column]] = k;
    }
    memcpy(next, begin, (size_t)t->nodes * sizeof *next);
    t->place[0] = (place_t){-1, 1};
    /* Descend into a node; return once all its neighbours have been seen. */
    for (int32_t node = 0, steps = 0; steps < 2 * count;) {
        if (next[node] == begin[node + 1]) {
            const int32_t parent = t->place[node].parent;
            walk[steps++] = ~node;
            t->place[parent].size += t->place[node].size;
            node = parent;
            continue;
        }
        const shipment_t *k = &shipments[at[next[node]++]];
        const int32_t other = node < n ? n + k->column : k->row;
        if (other != t->place[node].parent) {
            t->place[other] = (place_t){node, 1};
            t->edge[other] = (tree_edge_t){k->flow, k->cost};
            walk[steps++] = other;
            node = other;
        }
    }
}
