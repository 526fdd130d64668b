/* FFmpeg's log lines: to a handler that Swift sets, and into the tally of the decoder that speaks. */
#include "cffmpeg_shims.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>

enum { LINE = 1024, FIRST = 200 };

struct cff_tally {
    atomic_int errors;
    pthread_mutex_t lock; /* guards first */
    char first[FIRST];
};

static _Atomic(cff_log_handler *) current_handler;
static pthread_once_t install_once = PTHREAD_ONCE_INIT;

static void cut_copy(char *to, const char *from, size_t size) {
    size_t length = strnlen(from, size - 1);
    memcpy(to, from, length);
    to[length] = 0;
}

static void count(struct cff_tally *tally, const char *line) {
    if (atomic_fetch_add(&tally->errors, 1) > 0) return;
    pthread_mutex_lock(&tally->lock);
    cut_copy(tally->first, line, FIRST);
    pthread_mutex_unlock(&tally->lock);
}

static struct cff_tally *tally_of(void *speaker) {
    if (!speaker || *(const AVClass **)speaker != avcodec_get_class()) return NULL;
    AVCodecContext *codec = speaker;
    /* An encoder's opaque is not ours to read. */
    return codec->codec && av_codec_is_decoder(codec->codec) ? codec->opaque : NULL;
}

static void receive(void *speaker, int level, const char *format, va_list arguments) {
    static _Thread_local char line[LINE];
    static _Thread_local size_t used;
    static _Thread_local int print_prefix = 1;

    level &= 0xff; /* the rest is colour */
    cff_log_handler *handler = atomic_load(&current_handler);
    struct cff_tally *tally = level <= AV_LOG_ERROR ? tally_of(speaker) : NULL;
    if ((!handler && !tally) || level > av_log_get_level()) return;

    /* A line may come in pieces; it is whole when the next would need a prefix again. */
    int wanted = av_log_format_line2(speaker, level, format, arguments, line + used, (int)(LINE - used), &print_prefix);
    if (wanted > 0) used += (size_t)wanted < LINE - used ? (size_t)wanted : LINE - used - 1;
    if (!print_prefix && used < LINE - 1) return;
    while (used > 0 && (line[used - 1] == '\n' || line[used - 1] == '\r')) used--;
    line[used] = 0;
    used = 0;
    print_prefix = 1;
    if (!line[0]) return;
    if (tally) count(tally, line);
    if (handler) handler(level, line);
}

static void install(void) {
    av_log_set_level(AV_LOG_WARNING);
    av_log_set_callback(receive);
}

void cff_log_install(void) { pthread_once(&install_once, install); }
void cff_log_set_handler(cff_log_handler *handler) { atomic_store(&current_handler, handler); }

cff_tally *cff_tally_new(void) {
    struct cff_tally *tally = calloc(1, sizeof *tally);
    if (tally) pthread_mutex_init(&tally->lock, NULL);
    return tally;
}

void cff_tally_free(cff_tally *tally) {
    if (!tally) return;
    pthread_mutex_destroy(&tally->lock);
    free(tally);
}

int cff_tally_errors(const cff_tally *tally) { return atomic_load(&((cff_tally *)tally)->errors); }

void cff_tally_first(const cff_tally *tally, char *buffer, int size) {
    pthread_mutex_t *lock = &((cff_tally *)tally)->lock;
    pthread_mutex_lock(lock);
    cut_copy(buffer, tally->first, (size_t)size);
    pthread_mutex_unlock(lock);
}
