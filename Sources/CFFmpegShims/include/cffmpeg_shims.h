/* What Swift cannot see of FFmpeg: values that are macros, and the log, whose callback takes a va_list. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* AVERROR(errnum), and back: 0 where the code is one of FFmpeg's own. */
int cff_error_of_errno(int errnum);
int cff_errno_of_error(int code);

int cff_error_eof(void);
int cff_error_exit(void);
int cff_error_invalid_data(void);
int64_t cff_no_pts(void);

int cff_error_try_again(void);

/* Makes the formats of libavdevice known (v4l2). It is looked up at run time, so that a program which reads no
 * cameras does not need the library and what it brings along. 0, or -1 where it is not installed. */
int cff_register_devices(void);

/* FFmpeg's log goes through one callback of the process. cff_log_install puts ours in place of the one that
 * prints to stderr (any number of calls, from any thread); until a handler is set, lines are dropped.
 * The handler is called from any thread, with whole lines without the line break. NULL drops them again. */
typedef void cff_log_handler(int level, const char *_Nonnull line);
void cff_log_install(void);
void cff_log_set_handler(cff_log_handler *_Nullable handler);

/* Counts what one decoder logs as an error: some damage (a JPEG that ends early) shows nowhere else.
 * Put it into AVCodecContext.opaque before avcodec_open2, free it after the context. */
typedef struct cff_tally cff_tally;
cff_tally *_Nullable cff_tally_new(void);
void cff_tally_free(cff_tally *_Nullable tally);
int cff_tally_errors(const cff_tally *_Nonnull tally);
/* The first line counted, cut to size with its NUL; empty when none was. */
void cff_tally_first(const cff_tally *_Nonnull tally, char *_Nonnull buffer, int size);

#ifdef __cplusplus
}
#endif
