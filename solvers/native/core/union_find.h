/* Union-find: the components of a forest that grows. */
#pragma once

#include <stdint.h>

/* leader[node]: a node on the way to the root of its component; a root is its own leader. Return the root, and shorten
 * the way to it. */
static inline int32_t union_find_root(int32_t *leader, int32_t node) {
    while (leader[node] != node) {
        node = leader[node] = leader[leader[node]];
    }
    return node;
}
