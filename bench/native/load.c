// A load generator for HTTP/1.1: one thread, epoll, nothing but libc. It connects to 127.0.0.1 and nowhere else.
//
//   load -p PORT [-u PATH] [-b BODYFILE] [-H 'NAME: VALUE']... -c CONNECTIONS -d SECONDS [-w SECONDS] [-r RATE] [-s] [-S MS]
//
// Closed loop: every connection sends its next request when it has its answer. Open loop (-r): RATE requests a second,
// each latency counted from the instant at which the request was due, so that a server which stalls cannot hide the
// requests that it delayed. With a body it is a POST, without one a GET.
//   -w  seconds of warming up, which do not count
//   -s  answers are streams: counts their events, demands the mark of their end, measures time to first byte and gaps
//   -S  connections start spread over so many milliseconds, so that paced streams do not march in step
// One JSON object is printed at the end. Times in it are milliseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 65536, LINE_HEAD = 4096, FIRST_ERROR = 600 };
#define NEVER 1e9
enum chunk_state { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, LAST_CHUNK };

typedef struct {
  int fd, busy, started, waits_to_send;
  double due, first_byte, last_read, longest_gap, start_at;
  size_t sent;
  // The answer: what was read and not consumed, and how far it is understood.
  char *in;
  size_t in_size, in_capacity, consumed;
  int has_head, status, chunked, closes;
  long content_length;
  enum chunk_state chunk;
  size_t chunk_left, body_size, bytes;
  // Its events: of the line that is not complete yet, as much as may hold the mark of the end is kept.
  char line[LINE_HEAD];
  size_t line_size;
  long events;
  int ended;
} Connection;

typedef struct {
  float *values;
  size_t count, capacity;
} Samples;

static int port = 8000, connection_count = 1, streams, stagger_ms;
static double duration = 5, warm_up, rate;
static char *request;
static size_t request_size;

static int epoll;
static Connection *connections;
static Samples latencies, first_bytes, gaps;
static long completed, completed_events, counted, counted_events, counted_bytes;
static long failed, bad_status, incomplete, connections_made, reads, due_count, backlog;
static double began, count_from, end, last_completed;
static char first_error[FIRST_ERROR];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static void add(Samples *samples, double value) {
  if (samples->count == samples->capacity) {
    samples->capacity = samples->capacity ? samples->capacity * 2 : 65536;
    samples->values = realloc(samples->values, samples->capacity * sizeof *samples->values);
  }
  samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static double percentile_ms(const Samples *samples, double part) {
  return samples->count ? samples->values[(size_t)(part * (samples->count - 1) + 0.5)] * 1e3 : 0;
}

static void watch(Connection *c, int operation, int events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(epoll, operation, c->fd, &event);
}

static void open_connection(Connection *c) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (void *)&address, sizeof address)) {
    close(c->fd);
    c->fd = -1;
    return;
  }
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  watch(c, EPOLL_CTL_ADD, EPOLLIN);
  connections_made++;
  c->waits_to_send = 0;
}

static void close_connection(Connection *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
}

static void note_error(const Connection *c, const char *what) {
  if (!first_error[0])
    snprintf(first_error, sizeof first_error, "%s, errno %d, status %d: %.300s", what, errno, c->status,
             c->in_size ? c->in : "");
}

static void send_next(Connection *c);

static void fail(Connection *c, const char *what) {
  note_error(c, what);
  close_connection(c);
  if (!c->busy) return;
  failed++;
  c->busy = 0;
  if (rate == 0 && now() < end) {
    usleep(200);
    send_next(c);
  }
}

static void send_rest(Connection *c) {
  while (c->sent < request_size) {
    ssize_t size = send(c->fd, request + c->sent, request_size - c->sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EAGAIN) {
      if (!c->waits_to_send) watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      c->waits_to_send = 1;
      return;
    }
    if (size < 0) {
      fail(c, "send");
      return;
    }
    c->sent += size;
  }
  if (c->waits_to_send) watch(c, EPOLL_CTL_MOD, EPOLLIN);
  c->waits_to_send = 0;
}

static void send_request(Connection *c, double due) {
  if (c->fd < 0) open_connection(c);
  if (c->fd < 0) {
    failed++;
    usleep(1000);
    return;
  }
  c->in_size = c->consumed = c->sent = c->chunk_left = c->body_size = c->bytes = c->line_size = 0;
  c->has_head = c->status = c->chunked = c->closes = c->ended = 0;
  c->content_length = -1;
  c->chunk = CHUNK_SIZE;
  c->events = 0;
  c->first_byte = c->last_read = c->longest_gap = 0;
  c->busy = 1;
  c->due = due;
  send_rest(c);
}

// A connection is free: it takes the oldest request that is due, or in the closed loop simply the next.
static void send_next(Connection *c) {
  double instant = now();
  c->busy = 0;
  if (instant >= end) return;
  if (rate == 0)
    send_request(c, instant);
  else if (backlog > 0) {
    double due = began + (due_count - backlog) / rate;
    backlog--;
    send_request(c, due);
  }
}

static void count_line(Connection *c, const char *line, size_t size) {
  if (size < 5 || memcmp(line, "data:", 5)) return;
  c->events++;
  if (memmem(line, size, "[DONE]", 6) || memmem(line, size, "message_stop", 12) ||
      memmem(line, size, "response.completed", 18) || memmem(line, size, "\"finishReason\":\"", 16))
    c->ended = 1;
}

static void take_body(Connection *c, const char *data, size_t size) {
  static char joined[READ_SIZE + LINE_HEAD];
  if (size && c->first_byte == 0) c->first_byte = now();
  c->body_size += size;
  while (streams && size) {
    size_t part = size < READ_SIZE ? size : READ_SIZE;
    memcpy(joined, c->line, c->line_size);
    memcpy(joined + c->line_size, data, part);
    char *line = joined, *stop = joined + c->line_size + part, *newline;
    while ((newline = memchr(line, '\n', stop - line))) {
      count_line(c, line, newline - line);
      line = newline + 1;
    }
    c->line_size = stop - line < LINE_HEAD ? stop - line : LINE_HEAD;
    memcpy(c->line, line, c->line_size);
    data += part;
    size -= part;
  }
}

static void complete(Connection *c) {
  double instant = last_completed = now();
  if (c->status != 200) {
    bad_status++;
    note_error(c, "not 200");
  } else if (streams && !c->ended) {
    incomplete++;
    note_error(c, "a stream without its end");
  } else {
    completed++;
    completed_events += c->events;
    if (instant >= count_from) {
      counted++;
      counted_events += c->events;
      counted_bytes += c->bytes;
      add(&latencies, instant - c->due);
      if (streams) {
        add(&first_bytes, c->first_byte - c->due);
        add(&gaps, c->longest_gap);
      }
    }
  }
  if (c->closes) close_connection(c);
  send_next(c);
}

static int take_head(Connection *c) {
  char *stop = memmem(c->in, c->in_size, "\r\n\r\n", 4);
  if (!stop) return 0;
  c->has_head = 1;
  c->status = atoi(c->in + 9);
  for (char *line = strchr(c->in, '\n'); line && line < stop; line = strchr(line, '\n')) {
    line++;
    if (!strncasecmp(line, "content-length:", 15)) c->content_length = atol(line + 15);
    if (!strncasecmp(line, "transfer-encoding:", 18)) c->chunked = 1;
    if (!strncasecmp(line, "connection: close", 17)) c->closes = 1;
  }
  c->consumed = stop - c->in + 4;
  return 1;
}

// Takes the chunks that are there; true at the end of the body.
static int take_chunks(Connection *c) {
  char *data = c->in + c->consumed;
  size_t size = c->in_size - c->consumed;
  int at_end = 0;
  while (size && !at_end) {
    if (c->chunk == CHUNK_SIZE) {
      char *newline = memchr(data, '\n', size);
      if (!newline) break;
      c->chunk_left = strtoul(data, 0, 16);
      c->chunk = c->chunk_left ? CHUNK_DATA : LAST_CHUNK;
      size -= newline - data + 1;
      data = newline + 1;
    } else if (c->chunk == CHUNK_DATA) {
      size_t part = size < c->chunk_left ? size : c->chunk_left;
      take_body(c, data, part);
      data += part;
      size -= part;
      c->chunk_left -= part;
      if (!c->chunk_left) c->chunk = CHUNK_END;
    } else {
      if (size < 2) break;
      at_end = c->chunk == LAST_CHUNK;
      c->chunk = CHUNK_SIZE;
      data += 2;
      size -= 2;
    }
  }
  memmove(c->in, data, size);
  c->in_size = size;
  c->consumed = 0;
  return at_end;
}

static int take_plain(Connection *c) {
  take_body(c, c->in + c->consumed, c->in_size - c->consumed);
  c->in_size = c->consumed = 0;
  return c->content_length >= 0 && (long)c->body_size >= c->content_length;
}

static void take_end_of_connection(Connection *c) {
  if (c->busy && c->has_head && c->content_length < 0 && !c->chunked) {
    c->closes = 1;
    complete(c);
  } else if (c->busy)
    fail(c, "closed");
  else
    close_connection(c);
}

static void read_answer(Connection *c) {
  while (c->fd >= 0) {
    if (c->in_size + READ_SIZE >= c->in_capacity) {
      c->in_capacity = c->in_capacity ? c->in_capacity * 2 : 2 * READ_SIZE;
      c->in = realloc(c->in, c->in_capacity);
    }
    ssize_t size = recv(c->fd, c->in + c->in_size, c->in_capacity - c->in_size - 1, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size < 0) {
      fail(c, "recv");
      return;
    }
    if (size == 0) {
      take_end_of_connection(c);
      return;
    }
    if (!c->busy) continue;
    c->in_size += size;
    c->in[c->in_size] = 0;
    c->bytes += size;
    reads++;
    if (streams) {
      double instant = now();
      if (c->last_read > 0 && instant - c->last_read > c->longest_gap) c->longest_gap = instant - c->last_read;
      c->last_read = instant;
    }
    if (!c->has_head && !take_head(c)) continue;
    if (c->chunked ? take_chunks(c) : take_plain(c)) {
      complete(c);
      return;
    }
  }
}

// Open loop: hands out what is due by now; returns the seconds until more is.
static double send_due(void) {
  static int turn;
  double instant;
  while ((instant = now()) < end && instant >= began + due_count / rate) {
    double due = began + due_count++ / rate;
    int tried = 0;
    while (tried < connection_count && connections[(turn + tried) % connection_count].busy) tried++;
    if (tried == connection_count)
      backlog++;
    else {
      Connection *c = &connections[(turn + tried) % connection_count];
      turn = (turn + tried + 1) % connection_count;
      send_request(c, due);
    }
  }
  return began + due_count / rate - instant;
}

// Closed loop: starts the connections whose time has come; returns the seconds until the next one's, or NEVER.
static double start_due(void) {
  double instant = now(), wait = NEVER;
  for (int i = 0; i < connection_count; i++) {
    Connection *c = &connections[i];
    if (c->started) continue;
    if (c->start_at > instant) {
      if (c->start_at - instant < wait) wait = c->start_at - instant;
      continue;
    }
    c->started = 1;
    send_request(c, now());
  }
  return wait;
}

static int any_busy(void) {
  for (int i = 0; i < connection_count; i++)
    if (connections[i].busy) return 1;
  return 0;
}

static void run(void) {
  static struct epoll_event events[1024];
  double patience = streams ? 15 : 5;
  int unstarted = rate == 0;
  for (;;) {
    double wait = 0.05;
    if (rate > 0 && now() < end) {
      double next = send_due();
      if (next < wait) wait = next < 0 ? 0 : next;
    } else if (unstarted) {
      double next = start_due();
      if (next < wait) wait = next;
      unstarted = next < NEVER;
    }
    double instant = now();
    if (instant >= end && (!any_busy() || instant > end + patience)) return;
    struct timespec timeout = {0, (long)(wait * 1e9)};
    int count = epoll_pwait2(epoll, events, 1024, &timeout, 0);
    for (int i = 0; i < count; i++) {
      Connection *c = events[i].data.ptr;
      if (c->fd >= 0 && events[i].events & EPOLLOUT) send_rest(c);
      if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_answer(c);
    }
  }
}

static void print_result(void) {
  double seconds = (last_completed > end && rate == 0 ? last_completed : end) - count_from, sum = 0;
  long stuck = 0;
  for (int i = 0; i < connection_count; i++) stuck += connections[i].busy;
  for (size_t i = 0; i < latencies.count; i++) sum += latencies.values[i];
  qsort(latencies.values, latencies.count, sizeof(float), compare);
  qsort(first_bytes.values, first_bytes.count, sizeof(float), compare);
  qsort(gaps.values, gaps.count, sizeof(float), compare);
  for (char *p = first_error; *p; p++)
    if (*p == '"' || *p == '\\' || *p < ' ' || *p > '~') *p = ' ';
  printf("{\"completed\":%ld,\"completed_events\":%ld,\"counted\":%ld,\"seconds\":%.3f,\"per_second\":%.1f,", completed,
         completed_events, counted, seconds, counted / seconds);
  printf("\"mean_ms\":%.4f,\"p50_ms\":%.4f,\"p90_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f,",
         counted ? sum / counted * 1e3 : 0, percentile_ms(&latencies, .5), percentile_ms(&latencies, .9),
         percentile_ms(&latencies, .99), percentile_ms(&latencies, 1));
  printf("\"events\":%ld,\"events_per_second\":%.1f,\"first_byte_p50_ms\":%.3f,\"first_byte_p99_ms\":%.3f,",
         counted_events, counted_events / seconds, percentile_ms(&first_bytes, .5), percentile_ms(&first_bytes, .99));
  printf("\"gap_p50_ms\":%.3f,\"gap_p99_ms\":%.3f,", percentile_ms(&gaps, .5), percentile_ms(&gaps, .99));
  printf("\"failed\":%ld,\"bad_status\":%ld,\"incomplete\":%ld,\"stuck\":%ld,\"backlog\":%ld,", failed, bad_status,
         incomplete, stuck, backlog);
  printf("\"connections\":%ld,\"reads\":%ld,\"bytes\":%ld,\"first_error\":\"%s\"}\n", connections_made, reads,
         counted_bytes, first_error);
}

static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "r");
  if (!file) {
    perror(path);
    exit(2);
  }
  char *data = malloc(8 << 20);
  *size = fread(data, 1, 8 << 20, file);
  fclose(file);
  return data;
}

static void build_request(const char *path, const char *headers, const char *body, size_t body_size) {
  request = malloc(body_size + 16384);
  int size = sprintf(request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n%s", body_size ? "POST" : "GET",
                     path, port, headers);
  if (body_size)
    size += sprintf(request + size, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body_size);
  size += sprintf(request + size, "\r\n");
  memcpy(request + size, body, body_size);
  request_size = size + body_size;
}

int main(int argc, char **argv) {
  const char *path = "/v1/chat/completions";
  char headers[8192] = "", *body = "";
  size_t body_size = 0;
  for (int option; (option = getopt(argc, argv, "p:u:b:H:c:d:w:r:sS:")) != -1;) switch (option) {
      case 'p': port = atoi(optarg); break;
      case 'u': path = optarg; break;
      case 'b': body = read_file(optarg, &body_size); break;
      case 'H':
        if (strlen(headers) + strlen(optarg) + 3 > sizeof headers) return 2;
        strcat(strcat(headers, optarg), "\r\n");
        break;
      case 'c': connection_count = atoi(optarg); break;
      case 'd': duration = atof(optarg); break;
      case 'w': warm_up = atof(optarg); break;
      case 'r': rate = atof(optarg); break;
      case 's': streams = 1; break;
      case 'S': stagger_ms = atoi(optarg); break;
      default: return 2;
    }
  signal(SIGPIPE, SIG_IGN);
  build_request(path, headers, body, body_size);
  epoll = epoll_create1(0);
  connections = calloc(connection_count, sizeof *connections);
  for (int i = 0; i < connection_count; i++) {
    open_connection(&connections[i]);
    if (connections[i].fd < 0) {
      perror("connect");
      return 1;
    }
  }
  began = now();
  count_from = began + warm_up;
  end = count_from + duration;
  for (int i = 0; i < connection_count; i++) connections[i].start_at = began + stagger_ms * 1e-3 * i / connection_count;
  run();
  print_result();
  return 0;
}
