/**
 * A list for items that are added and removed with each request. Removal takes constant time and keeps the
 * order.
 *
 * Do not use a Set or Map for this. When items of a Set are added and removed, V8 keeps replacing its table,
 * and links each old table to its successor. Once one such table is in the old generation, the young
 * generation's garbage collector treats that table, all later tables and everything they held as alive. In
 * the collector, that was all requests of a whole second.
 */

/** An item's position in its list. Keep it to remove the item. */
export interface Place<Item> {
  readonly item: Item;
  isIn: boolean;
  before: Place<Item> | undefined;
  after: Place<Item> | undefined;
}

export class LinkedList<Item> implements Iterable<Place<Item>> {
  #first: Place<Item> | undefined;
  #last: Place<Item> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: Item): Place<Item> {
    const place: Place<Item> = { item, isIn: true, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#size += 1;
    return place;
  }

  /** Removes an item. Does nothing if the item has already been removed. */
  remove(place: Place<Item>): void {
    if (!place.isIn) return;
    const { before, after } = place;
    place.isIn = false;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    place.before = undefined; // a removed item must not keep other items alive
    place.after = undefined;
    this.#size -= 1;
  }

  /** Iterates in order. Meanwhile, only the current item may be removed, and an added one may be missed. */
  *[Symbol.iterator](): Iterator<Place<Item>> {
    for (let place = this.#first; place !== undefined; ) {
      const { after } = place;
      yield place;
      place = after;
    }
  }
}
