#include "cffmpeg_shims.h"

#include <dlfcn.h>
#include <stdio.h>

#include <libavformat/version.h>
#include <libavutil/avutil.h>
#include <libavutil/error.h>

int cff_error_of_errno(int errnum) { return AVERROR(errnum); }

/* FFmpeg's own codes are negated four-character tags, far above any errno. */
int cff_errno_of_error(int code) { return code < 0 && AVUNERROR(code) < 4096 ? AVUNERROR(code) : 0; }

int cff_error_eof(void) { return AVERROR_EOF; }
int cff_error_exit(void) { return AVERROR_EXIT; }
int cff_error_invalid_data(void) { return AVERROR_INVALIDDATA; }
int64_t cff_no_pts(void) { return AV_NOPTS_VALUE; }

int cff_error_try_again(void) { return AVERROR(EAGAIN); }

int cff_register_devices(void) {
    char name[32];
    /* All of FFmpeg's libraries that fit together count their versions alike from 5.0 on, these two at least. */
    snprintf(name, sizeof name, "libavdevice.so.%d", LIBAVFORMAT_VERSION_MAJOR);
    /* Never closed: what it registers stays known to libavformat. */
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) return -1;
    void (*registerAll)(void);
    *(void **)&registerAll = dlsym(library, "avdevice_register_all");
    if (!registerAll) return -1;
    registerAll();
    return 0;
}
