/**
 * Owns a list for what comes and goes with each request: any item is taken out in one step, the rest keep their order.
 *
 * A Set or a Map is not fit for that. V8 replaces the table of one that items come to and leave all the time, and links
 * the table before to its successor. Once such a table is old, the garbage collector of the young generation takes it for
 * alive, and with it all later tables and what they held: here the requests of a whole second.
 */

/** An item's place in its list. Remember it to take the item out. */
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

  /** Adds the item behind all others. */
  push(item: Item): Place<Item> {
    const place: Place<Item> = { item, isIn: true, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#size += 1;
    return place;
  }

  /** Takes the item out; does nothing when it is out already. */
  remove(place: Place<Item>): void {
    if (!place.isIn) return;
    const { before, after } = place;
    place.isIn = false;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    place.before = undefined; // what has left keeps nothing alive
    place.after = undefined;
    this.#size -= 1;
  }

  /** In order. The item at hand may be taken out meanwhile, and new ones come in. */
  *[Symbol.iterator](): Iterator<Place<Item>> {
    for (let place = this.#first; place !== undefined; ) {
      const { after } = place;
      yield place;
      place = after;
    }
  }
}
