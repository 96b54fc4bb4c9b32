/* SPDX-License-Identifier: Apache-2.0 */
/* Items: see item.h. An item and the elements of its tensor are one allocation. */
#include "op/item.h"

enum { HEAD = (sizeof(hy__item) + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN };

static hy_status account(hy__items *items, size_t bytes, hy_error *err) {
  size_t total;
  HY_FAIL_IF(!hy__add(items->bytes, bytes, &total) || total > items->max_bytes, HY_LIMIT, err,
             "the values alive need more than the %zu bytes of max_bytes", items->max_bytes);
  items->bytes = total;
  items->peak_bytes = HY_MAX(items->peak_bytes, total);
  return HY_OK;
}

static hy_status make(hy__items *items, size_t bytes, hy_value_kind kind, hy__item **out,
                      hy_error *err) {
  void *memory;
  size_t all;
  *out = NULL;
  HY_FAIL_IF(!hy__add(HEAD, bytes, &all), HY_LIMIT, err, "a value is larger than memory");
  HY_TRY(account(items, all, err));
  hy_status status = hy__alloc(items->allocator, all, &memory, err);
  if (status != HY_OK) {
    items->bytes -= all;
    return status;
  }
  *out = memory;
  **out = (hy__item){.n_refs = 1, .n_bytes = all, .kind = kind};
  return HY_OK;
}

hy_status hy__item_tensor(hy__items *items, const hy_tensor *type, hy__item **out, hy_error *err) {
  size_t bytes;
  HY_FAIL_IF(!hy__shape_bytes(type->dims, type->rank, hy_dtype_bytes(type->dtype), &bytes),
             HY_LIMIT, err, "a value is larger than memory");
  HY_TRY(make(items, HY_MAX(bytes, (size_t)1), HY_VALUE_TENSOR, out, err));
  (*out)->t = *type;
  (*out)->t.data = (uint8_t *)*out + HEAD;
  memset((*out)->t.strides_bytes, 0, sizeof type->strides_bytes);
  return HY_OK;
}

hy_status hy__item_view(hy__items *items, const hy_tensor *t, hy__item **out, hy_error *err) {
  HY_TRY(make(items, 1, HY_VALUE_TENSOR, out, err));
  (*out)->t = *t;
  if (!t->data) (*out)->t.data = (uint8_t *)*out + HEAD; /* no element, but an address */
  memset((*out)->t.strides_bytes, 0, sizeof t->strides_bytes);
  (*out)->borrowed = true;
  return HY_OK;
}

hy_status hy__item_none(hy__items *items, hy__item **out, hy_error *err) {
  return make(items, 0, HY_VALUE_NONE, out, err);
}

hy_status hy__item_sequence(hy__items *items, hy_dtype dtype, hy__item **out, hy_error *err) {
  HY_TRY(make(items, 0, HY_VALUE_SEQUENCE, out, err));
  (*out)->t.dtype = dtype;
  return HY_OK;
}

static hy_status list_grow(hy__items *items, hy__item *sequence, hy_error *err) {
  size_t before = sequence->list_capacity;
  if (sequence->n_list < before) return HY_OK;
  void *list = sequence->list;
  size_t more = before ? before : 8;
  HY_TRY(account(items, more * sizeof(hy__item *), err));
  hy_status status = hy__grow(items->allocator, &list, &sequence->list_capacity, before + more,
                              sizeof(hy__item *), err);
  size_t grown = (sequence->list_capacity - before) * sizeof(hy__item *);
  sequence->list = list;
  items->bytes += grown - more * sizeof(hy__item *);
  return status;
}

hy_status hy__item_insert(hy__items *items, hy__item *sequence, size_t at, hy__item *element,
                          hy_error *err) {
  hy_status status = list_grow(items, sequence, err);
  if (status != HY_OK) {
    hy__item_drop(items, element);
    return status;
  }
  memmove(sequence->list + at + 1, sequence->list + at,
          (sequence->n_list - at) * sizeof(hy__item *));
  sequence->list[at] = element;
  sequence->n_list++;
  if (sequence->t.dtype == HY_DTYPE_NONE) sequence->t.dtype = element->t.dtype;
  return HY_OK;
}

static size_t count_of(const hy_tensor *t) {
  size_t n = 1;
  for (int32_t d = 0; d < t->rank; d++) n *= (size_t)t->dims[d];
  return n;
}

hy_status hy__item_clone(hy__items *items, const hy_tensor *t, hy__item **out, hy_error *err) {
  size_t n = count_of(t), bytes = n * hy_dtype_bytes(t->dtype), texts = 0;
  const hy_string *from = t->data;
  for (size_t k = 0; t->dtype == HY_STRING && k < n; k++)
    HY_FAIL_IF(!hy__add(texts, from[k].len_bytes, &texts), HY_LIMIT, err, "texts without end");
  HY_FAIL_IF(!hy__add(bytes, texts, &texts), HY_LIMIT, err, "texts without end");
  HY_TRY(make(items, HY_MAX(texts, (size_t)1), HY_VALUE_TENSOR, out, err));
  (*out)->t = *t;
  (*out)->t.data = (uint8_t *)*out + HEAD;
  memset((*out)->t.strides_bytes, 0, sizeof t->strides_bytes);
  if (bytes) memcpy((*out)->t.data, t->data, bytes);
  hy_string *to = (*out)->t.data;
  char *text = (char *)(*out)->t.data + bytes;
  for (size_t k = 0; t->dtype == HY_STRING && k < n; k++) {
    if (from[k].len_bytes) memcpy(text, from[k].data, from[k].len_bytes);
    to[k].data = text;
    text += from[k].len_bytes;
  }
  return HY_OK;
}

/* A sequence holds tensors alone (the engine sees to it), so this goes one level deep. */
void hy__item_drop(hy__items *items, hy__item *item) {
  if (!item || --item->n_refs) return;
  for (size_t k = 0; k < item->n_list; k++) hy__item_drop(items, item->list[k]);
  items->bytes -= item->list_capacity * sizeof(hy__item *) + item->n_bytes;
  hy__free(items->allocator, item->list, item->list_capacity * sizeof(hy__item *));
  hy__free(items->allocator, item, item->n_bytes);
}

void hy__item_drop_all(hy__items *items, hy__item **list, size_t n) {
  for (size_t k = 0; k < n; k++) {
    hy__item_drop(items, list[k]);
    list[k] = NULL;
  }
}
