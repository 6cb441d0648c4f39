/* Quickselect (C. A. R. Hoare's FIND): a template. Move what would stand at place k of [low, high] after sorting there,
 * with nothing larger before it and nothing smaller behind it. Only keys decide, so the order of equal ones is the same
 * in every build. The includer defines, as macros, and this file undefines:
 *
 *     SELECT_FUNCTION               name of the static function
 *     SELECT_PARAMETERS             what it takes before low, high and k
 *     SELECT_KEY(place)             key of the item at a place
 *     SELECT_SWAP(a, b)             exchange the items at two places
 *     SELECT_PIVOT(low, high)       key of the pivot
 */
static inline void SELECT_FUNCTION(SELECT_PARAMETERS, int64_t low, int64_t high, int64_t k) {
    while (low < high) {
        const double pivot = SELECT_PIVOT(low, high);
        int64_t l = low, h = high;
        while (l <= h) {
            while (SELECT_KEY(l) < pivot) {
                l++;
            }
            while (SELECT_KEY(h) > pivot) {
                h--;
            }
            if (l <= h) {
                SELECT_SWAP(l, h);
                l++;
                h--;
            }
        }
        if (k <= h) {
            high = h;
        } else if (k >= l) {
            low = l;
        } else {
            return;
        }
    }
}

#undef SELECT_FUNCTION
#undef SELECT_PARAMETERS
#undef SELECT_KEY
#undef SELECT_SWAP
#undef SELECT_PIVOT
