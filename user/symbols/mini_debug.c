// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/mini_debug.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#define MAX_PACKED   (32u << 20)
#define MAX_UNPACKED (64u << 20)
#define FIRST_SIZE   (256u << 10)
/* Of the decoder: xz -9 needs 65 MiB. */
#define MAX_DECODER (80u << 20)

struct unpacked {
	uint8_t *bytes;
	size_t size, capacity;
};

static int unpacked__grow(struct unpacked *unpacked)
{
	size_t capacity = unpacked->capacity ? 2 * unpacked->capacity : FIRST_SIZE;
	uint8_t *bytes;

	if (capacity > MAX_UNPACKED)
		return -EFBIG;
	bytes = realloc(unpacked->bytes, capacity);
	if (!bytes)
		return -ENOMEM;
	unpacked->bytes = bytes;
	unpacked->capacity = capacity;
	return 0;
}

static int decode(lzma_stream *stream, struct unpacked *unpacked)
{
	lzma_ret code = LZMA_OK;

	while (code == LZMA_OK) {
		int err = unpacked->size == unpacked->capacity ? unpacked__grow(unpacked) : 0;

		if (err)
			return err;
		stream->next_out = unpacked->bytes + unpacked->size;
		stream->avail_out = unpacked->capacity - unpacked->size;
		code = lzma_code(stream, LZMA_FINISH);
		unpacked->size = unpacked->capacity - stream->avail_out;
	}
	if (code == LZMA_MEM_ERROR)
		return -ENOMEM;
	return code == LZMA_STREAM_END ? 0 : -EBADMSG;
}

static int unpack(const Elf_Data *data, struct unpacked *ret)
{
	struct unpacked unpacked = {0};
	lzma_stream stream = LZMA_STREAM_INIT;
	int err = 0;

	if (lzma_stream_decoder(&stream, MAX_DECODER, 0) != LZMA_OK)
		return -ENOMEM;
	stream.next_in = data->d_buf;
	stream.avail_in = data->d_size;
	err = decode(&stream, &unpacked);
	lzma_end(&stream);
	if (err)
		free(unpacked.bytes);
	else
		*ret = unpacked;
	return err;
}

int mini_debug__open(const struct elf_file *main, struct elf_file *ret)
{
	struct unpacked unpacked;
	struct elf_file file;
	GElf_Shdr header;
	Elf_Scn *section = elf_file__section(main, SHT_PROGBITS, ".gnu_debugdata", &header);
	Elf_Data *data;
	int err;

	if (!section)
		return -ENOENT;
	err = elf_file__section_data(main, section, MAX_PACKED, &data);
	err = err ?: unpack(data, &unpacked);
	err = err ?: elf_file__open_memory(unpacked.bytes, unpacked.size, &file);
	if (err)
		return err;
	if (file.header.e_machine != main->header.e_machine ||
	    file.header.e_ident[EI_CLASS] != main->header.e_ident[EI_CLASS]) {
		elf_file__close(&file);
		return -EBADMSG;
	}
	*ret = file;
	return 0;
}
