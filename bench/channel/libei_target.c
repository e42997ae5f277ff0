/* A C node on OTP's libei: answers `rex` calls of driver:add/2, echoes, takes and gives binaries. */
#include <ei.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ei_cnode node;

static void reply(int fd, erlang_pid *to, ei_x_buff *out) { ei_send(fd, to, out->buff, out->index); }

/* {'$gen_call', {Pid, Tag}, {call, driver, add, [A, B], _}} is answered with {Tag, A + B}. */
static void rex(int fd, const char *buf, int index, ei_x_buff *out) {
  int arity, tag_start;
  char atom[MAXATOMLEN];
  erlang_pid from;
  long a, b;
  if (ei_decode_tuple_header(buf, &index, &arity) || arity != 3 || ei_decode_atom(buf, &index, atom)) return;
  if (strcmp(atom, "$gen_call") || ei_decode_tuple_header(buf, &index, &arity) || arity != 2) return;
  if (ei_decode_pid(buf, &index, &from)) return;
  tag_start = index;
  if (ei_skip_term(buf, &index)) return;
  int tag_end = index;
  if (ei_decode_tuple_header(buf, &index, &arity) || arity != 5 || ei_decode_atom(buf, &index, atom)) return;
  if (strcmp(atom, "call") || ei_decode_atom(buf, &index, atom) || strcmp(atom, "driver")) return;
  if (ei_decode_atom(buf, &index, atom) || strcmp(atom, "add")) return;
  /* Two small integers come as a string. */
  int type, size;
  if (ei_get_type(buf, &index, &type, &size)) return;
  if (type == ERL_STRING_EXT) {
    unsigned char two[8];
    if (size != 2 || ei_decode_string(buf, &index, (char *)two)) return;
    a = two[0], b = two[1];
  } else if (ei_decode_list_header(buf, &index, &arity) || arity != 2 || ei_decode_long(buf, &index, &a) ||
             ei_decode_long(buf, &index, &b))
    return;
  out->index = 0;
  ei_x_encode_version(out);
  ei_x_encode_tuple_header(out, 2);
  ei_x_append_buf(out, buf + tag_start, tag_end - tag_start);
  ei_x_encode_long(out, a + b);
  reply(fd, &from, out);
}

/* {Pid, Term} is answered with Term; true when it was one. */
static int echo(int fd, const char *buf, int index, ei_x_buff *out) {
  int arity, type, size;
  erlang_pid from;
  if (ei_get_type(buf, &index, &type, &size) || (type != ERL_SMALL_TUPLE_EXT && type != ERL_LARGE_TUPLE_EXT)) return 0;
  if (ei_decode_tuple_header(buf, &index, &arity) || arity != 2 || ei_decode_pid(buf, &index, &from)) return 0;
  int start = index;
  if (ei_skip_term(buf, &index)) return 0;
  out->index = 0;
  ei_x_encode_version(out);
  ei_x_append_buf(out, buf + start, index - start);
  reply(fd, &from, out);
  return 1;
}

static void source(int fd, const char *buf, int index, ei_x_buff *out) {
  int arity;
  erlang_pid from;
  long size, count;
  if (ei_decode_tuple_header(buf, &index, &arity) || arity != 3 || ei_decode_pid(buf, &index, &from)) return;
  if (ei_decode_long(buf, &index, &size) || ei_decode_long(buf, &index, &count)) return;
  char *bytes = malloc(size);
  memset(bytes, 7, size);
  out->index = 0;
  ei_x_encode_version(out);
  ei_x_encode_binary(out, bytes, size);
  while (count-- > 0) reply(fd, &from, out);
  free(bytes);
}

static void *serve(void *argument) {
  int fd = (int)(long)argument, got;
  ei_x_buff in, out;
  erlang_msg msg;
  ei_x_new(&in);
  ei_x_new(&out);
  while ((got = ei_xreceive_msg(fd, &msg, &in)) != ERL_ERROR) {
    int index = 0, version;
    if (got != ERL_MSG || msg.msgtype != ERL_REG_SEND || ei_decode_version(in.buff, &index, &version)) continue;
    if (!strcmp(msg.toname, "rex")) rex(fd, in.buff, index, &out);
    else if (!strcmp(msg.toname, "source")) source(fd, in.buff, index, &out);
    else echo(fd, in.buff, index, &out); /* `sink` gets binaries, which are dropped, and {Pid, sync} */
  }
  close(fd);
  ei_x_free(&in);
  ei_x_free(&out);
  return NULL;
}

/* libei_target ALIVE COOKIE */
int main(int argc, char **argv) {
  char full[MAXNODELEN + 1];
  Erl_IpAddr address;
  struct in_addr loopback;
  int port = 0, listening;
  if (argc != 3) return 2;
  ei_init();
  inet_aton("127.0.0.1", &loopback);
  address = (Erl_IpAddr)&loopback;
  snprintf(full, sizeof full, "%s@127.0.0.1", argv[1]);
  if (ei_connect_xinit(&node, "127.0.0.1", argv[1], full, address, argv[2], 1) < 0) return 3;
  if ((listening = ei_listen(&node, &port, 16)) < 0 || ei_publish(&node, port) < 0) return 4;
  printf("ready %d %s\n", (int)getpid(), full);
  fflush(stdout);
  for (;;) {
    ErlConnect peer;
    pthread_t thread;
    int fd = ei_accept(&node, listening, &peer);
    if (fd >= 0 && !pthread_create(&thread, NULL, serve, (void *)(long)fd)) pthread_detach(thread);
  }
}
