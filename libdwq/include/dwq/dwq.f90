! What a Fortran program needs of libdwq, by iso_c_binding. What each function does, gives
! and answers is in the C headers beside this file (<dwq/flat.h> first). Handles (call,
! controller, builder, result, value, ...) are type(c_ptr). Texts end with c_null_char, and
! dwq_text() reads those of the library; `name` may be left out. Shapes are those of C:
! reversed. Unsigned numbers are the integers of their size.
module dwq
    use, intrinsic :: iso_c_binding
    implicit none
    public

    enum, bind(C) ! dwq_status_t
        enumerator :: DWQ_OK = 0, DWQ_E_ARG = -1, DWQ_E_ID = -2, DWQ_E_EMPTY = -3, DWQ_E_AGAIN = -4, DWQ_E_TASK = -5, &
            DWQ_E_OPTION = -6, DWQ_E_STATE = -7, DWQ_E_WORKER = -8, DWQ_E_SERVICE = -9, DWQ_E_TIME_LIMIT = -10, &
            DWQ_E_CANCELLED = -11, DWQ_E_MPI = -12, DWQ_E_NOMEM = -13, DWQ_E_MESSAGE = -14
    end enum
    enum, bind(C) ! dwq_stop_t
        enumerator :: DWQ_STOP_NONE = 0, DWQ_STOP_CANCEL = 1, DWQ_STOP_LIMIT = 2, DWQ_STOP_END = 3
    end enum
    enum, bind(C) ! dwq_type_t
        enumerator :: DWQ_INT8 = 1, DWQ_UINT8, DWQ_INT16, DWQ_UINT16, DWQ_INT32, DWQ_UINT32, DWQ_INT64, DWQ_UINT64, &
            DWQ_FLOAT, DWQ_DOUBLE, DWQ_COMPLEX_FLOAT, DWQ_COMPLEX_DOUBLE
    end enum
    enum, bind(C) ! dwq_taken_t
        enumerator :: DWQ_TAKEN_COPIED = 0, DWQ_TAKEN_BORROWED = 1, DWQ_TAKEN_SCATTERED = 2
    end enum
    enum, bind(C) ! dwq_kind_t
        enumerator :: DWQ_KIND_NIL = 0, DWQ_KIND_BOOL, DWQ_KIND_INT, DWQ_KIND_UINT, DWQ_KIND_DOUBLE, DWQ_KIND_STRING, &
            DWQ_KIND_BYTES, DWQ_KIND_LIST, DWQ_KIND_MAP, DWQ_KIND_ARRAY
    end enum

    type, bind(C) :: dwq_world_t
        logical(c_bool) :: is_controller, is_worker, spawned, workers_available
        integer(c_int) :: size, rank, n_workers
        logical(c_bool) :: survives
        integer(c_int64_t) :: reserved(5)
    end type
    type, bind(C) :: dwq_counts_t
        integer(c_int64_t) :: queued, held, running, finished, collected, reserved(11)
    end type
    type, bind(C) :: dwq_worker_info_t
        type(c_ptr) :: host
        integer(c_int) :: n_ranks, n_cores
        integer(c_int64_t) :: reserved(8)
    end type
    type, bind(C) :: dwq_kwargs_t ! of run_args and of a call: dwq_map_find() reads them
        integer(c_size_t) :: n
        type(c_ptr) :: items
    end type
    type, bind(C) :: dwq_value_t ! room for one: its c_loc() is a value
        integer(c_int64_t) :: room(12)
    end type

    interface
        ! Options and the run. Functions are c_funloc() of: integer(c_int) function f(handle, arg) bind(C), with
        ! type(c_ptr), value :: handle, arg. Where there is none: c_null_funptr.
        type(c_ptr) function dwq_options_create() bind(C); import; end function
        subroutine dwq_options_destroy(options) bind(C); import; type(c_ptr), value :: options; end subroutine
        integer(c_int) function dwq_options_set_int(options, field, value) bind(C); import
            type(c_ptr), value :: options; character(kind=c_char), intent(in) :: field(*); integer(c_int64_t), value :: value
        end function
        integer(c_int) function dwq_options_set_double(options, field, value) bind(C); import
            type(c_ptr), value :: options; character(kind=c_char), intent(in) :: field(*); real(c_double), value :: value
        end function
        integer(c_int) function dwq_options_set_string(options, field, value) bind(C); import
            type(c_ptr), value :: options; character(kind=c_char), intent(in) :: field(*), value(*)
        end function
        integer(c_int) function dwq_options_add_function(options, name, func, arg) bind(C); import
            type(c_ptr), value :: options, arg; character(kind=c_char), intent(in) :: name(*); type(c_funptr), value :: func
        end function
        integer(c_int) function dwq_options_set_roles(options, controller, worker, broker, arg) bind(C); import
            type(c_ptr), value :: options, arg; type(c_funptr), value :: controller, worker, broker
        end function
        integer(c_int) function dwq_options_set_run_args(options, builder) bind(C); import
            type(c_ptr), value :: options, builder
        end function
        integer(c_int) function dwq_run(options, exit_code) bind(C); import
            type(c_ptr), value :: options; integer(c_int), intent(inout) :: exit_code
        end function
        integer(c_int) function dwq_run_comm_f(comm, options, exit_code) bind(C); import
            integer(c_int), value :: comm; type(c_ptr), value :: options; integer(c_int), intent(inout) :: exit_code
        end function
        integer(c_int) function dwq_open(options, controller, exit_code) bind(C); import
            type(c_ptr), value :: options; type(c_ptr), intent(inout) :: controller
            integer(c_int), intent(inout), optional :: exit_code
        end function
        integer(c_int) function dwq_open_comm_f(comm, options, controller, exit_code) bind(C); import
            integer(c_int), value :: comm; type(c_ptr), value :: options; type(c_ptr), intent(inout) :: controller
            integer(c_int), intent(inout), optional :: exit_code
        end function
        integer(c_int) function dwq_close(controller, exit_code) bind(C); import
            type(c_ptr), value :: controller; integer(c_int), value :: exit_code
        end function
        subroutine dwq_finalize() bind(C); end subroutine
        integer(c_int) function dwq_world(world) bind(C); import; type(dwq_world_t), intent(inout) :: world; end function
        type(c_ptr) function dwq_status_name(status) bind(C); import; integer(c_int), value :: status; end function
        type(c_ptr) function dwq_status_text(status) bind(C); import; integer(c_int), value :: status; end function

        ! Tasks, and values that a call returns.
        type(c_ptr) function dwq_builder_create(func) bind(C); import
            character(kind=c_char), intent(in), optional :: func(*)
        end function
        subroutine dwq_builder_destroy(builder) bind(C); import; type(c_ptr), value :: builder; end subroutine
        type(c_ptr) function dwq_builder_task(builder) bind(C); import; type(c_ptr), value :: builder; end function
        integer(c_int) function dwq_builder_set_int(builder, field, value) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in) :: field(*); integer(c_int64_t), value :: value
        end function
        integer(c_int) function dwq_builder_set_double(builder, field, value) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in) :: field(*); real(c_double), value :: value
        end function
        integer(c_int) function dwq_builder_set_string(builder, field, value) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in) :: field(*), value(*)
        end function
        integer(c_int) function dwq_builder_bool(builder, name, value) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in), optional :: name(*)
            logical(c_bool), value :: value
        end function
        integer(c_int) function dwq_builder_int(builder, name, value) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in), optional :: name(*)
            integer(c_int64_t), value :: value
        end function
        integer(c_int) function dwq_builder_uint(builder, name, value) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in), optional :: name(*)
            integer(c_int64_t), value :: value
        end function
        integer(c_int) function dwq_builder_double(builder, name, value) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in), optional :: name(*)
            real(c_double), value :: value
        end function
        integer(c_int) function dwq_builder_string(builder, name, value) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in), optional :: name(*), value(*)
        end function
        integer(c_int) function dwq_builder_bytes(builder, name, data, size) bind(C); import
            type(c_ptr), value :: builder, data; character(kind=c_char), intent(in), optional :: name(*)
            integer(c_size_t), value :: size
        end function
        integer(c_int) function dwq_builder_array(builder, name, type, data, ndim, shape, taken) bind(C); import
            type(c_ptr), value :: builder, data; character(kind=c_char), intent(in), optional :: name(*)
            integer(c_int), value :: type, ndim, taken; integer(c_size_t), intent(in) :: shape(*)
        end function
        integer(c_int) function dwq_builder_list(builder, name) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in), optional :: name(*)
        end function
        integer(c_int) function dwq_builder_map(builder, name) bind(C); import
            type(c_ptr), value :: builder; character(kind=c_char), intent(in), optional :: name(*)
        end function
        integer(c_int) function dwq_builder_end(builder) bind(C); import; type(c_ptr), value :: builder; end function

        ! The controller. `task` is a dwq_builder_task(), `result` a dwq_result_create().
        integer(c_int) function dwq_controller_submit_call(controller, task, id) bind(C); import
            type(c_ptr), value :: controller, task; integer(c_int64_t), intent(inout), optional :: id
        end function
        integer(c_int) function dwq_controller_queue_call(controller, task, id) bind(C); import
            type(c_ptr), value :: controller, task; integer(c_int64_t), intent(inout), optional :: id
        end function
        integer(c_int) function dwq_controller_submit_each(controller, task, ids, n) bind(C); import
            type(c_ptr), value :: controller, task
            integer(c_int64_t), intent(inout), optional :: ids(*); integer(c_size_t), intent(inout), optional :: n
        end function
        integer(c_int) function dwq_controller_get_result(controller, id, result) bind(C); import
            type(c_ptr), value :: controller, result; integer(c_int64_t), value :: id
        end function
        integer(c_int) function dwq_controller_get_next_result(controller, result) bind(C); import
            type(c_ptr), value :: controller, result
        end function
        integer(c_int) function dwq_controller_probe_next_result(controller, result) bind(C); import
            type(c_ptr), value :: controller, result
        end function
        integer(c_int) function dwq_controller_wait_next_result(controller, seconds, result) bind(C); import
            type(c_ptr), value :: controller, result; real(c_double), value :: seconds
        end function
        integer(c_int) function dwq_controller_cancel(controller, id) bind(C); import
            type(c_ptr), value :: controller; integer(c_int64_t), value :: id
        end function
        integer(c_int) function dwq_controller_progress(controller) bind(C); import
            type(c_ptr), value :: controller
        end function
        integer(c_int) function dwq_controller_counts(controller, counts) bind(C); import
            type(c_ptr), value :: controller; type(dwq_counts_t), intent(inout) :: counts
        end function
        integer(c_int) function dwq_controller_get_ready_worker(controller, worker, data) bind(C); import
            type(c_ptr), value :: controller; integer(c_int), intent(inout) :: worker
            type(dwq_value_t), intent(inout), optional :: data
        end function
        integer(c_int) function dwq_controller_exit(controller) bind(C); import; type(c_ptr), value :: controller; end function
        type(c_ptr) function dwq_controller_error(controller) bind(C); import; type(c_ptr), value :: controller; end function
        subroutine dwq_controller_abort(controller) bind(C); import; type(c_ptr), value :: controller; end subroutine
        type(dwq_kwargs_t) function dwq_controller_run_args(controller) bind(C); import
            type(c_ptr), value :: controller
        end function
        type(dwq_world_t) function dwq_controller_world(controller) bind(C); import
            type(c_ptr), value :: controller
        end function
        integer(c_int) function dwq_worker_info(controller, worker, info) bind(C); import
            type(c_ptr), value :: controller; integer(c_int), value :: worker; type(dwq_worker_info_t), intent(inout) :: info
        end function

        ! A worker function's handle.
        integer(c_int) function dwq_worker_serve(worker) bind(C); import; type(c_ptr), value :: worker; end function
        subroutine dwq_worker_abort(worker) bind(C); import; type(c_ptr), value :: worker; end subroutine
        integer(c_int) function dwq_worker_id(worker) bind(C); import; type(c_ptr), value :: worker; end function
        type(dwq_kwargs_t) function dwq_worker_run_args(worker) bind(C); import; type(c_ptr), value :: worker; end function
        type(dwq_world_t) function dwq_worker_world(worker) bind(C); import; type(c_ptr), value :: worker; end function
        integer(c_int) function dwq_worker_execute(worker, task, result) bind(C); import
            type(c_ptr), value :: worker, task, result
        end function
        integer(c_int) function dwq_worker_publish_service(worker) bind(C); import; type(c_ptr), value :: worker; end function
        integer(c_int) function dwq_worker_connect_service(worker, attempts) bind(C); import
            type(c_ptr), value :: worker; integer(c_int), value :: attempts
        end function
        integer(c_int) function dwq_worker_comm_f(worker) bind(C); import; type(c_ptr), value :: worker; end function
        integer(c_int) function dwq_worker_merged_comm_f(worker) bind(C); import; type(c_ptr), value :: worker; end function
        integer(c_int) function dwq_worker_server_comm_f(worker) bind(C); import; type(c_ptr), value :: worker; end function
        integer(c_int) function dwq_worker_client_comms_f(worker, max, comms) bind(C); import
            type(c_ptr), value :: worker; integer(c_int), value :: max; integer(c_int), intent(inout) :: comms(*)
        end function

        ! A broker function's handle.
        integer(c_int) function dwq_broker_serve(broker) bind(C); import; type(c_ptr), value :: broker; end function
        subroutine dwq_broker_abort(broker) bind(C); import; type(c_ptr), value :: broker; end subroutine
        integer(c_int) function dwq_broker_id(broker) bind(C); import; type(c_ptr), value :: broker; end function
        type(dwq_kwargs_t) function dwq_broker_run_args(broker) bind(C); import; type(c_ptr), value :: broker; end function
        type(dwq_world_t) function dwq_broker_world(broker) bind(C); import; type(c_ptr), value :: broker; end function
        integer(c_int) function dwq_broker_merged_comm_f(broker) bind(C); import; type(c_ptr), value :: broker; end function
        integer(c_int) function dwq_broker_group_comm_f(broker) bind(C); import; type(c_ptr), value :: broker; end function

        ! Results and values.
        type(c_ptr) function dwq_result_create() bind(C); import; end function
        subroutine dwq_result_destroy(result) bind(C); import; type(c_ptr), value :: result; end subroutine
        subroutine dwq_result_clear(result) bind(C); import; type(c_ptr), value :: result; end subroutine
        logical(c_bool) function dwq_result_int(result, field, x) bind(C); import
            type(c_ptr), value :: result; character(kind=c_char), intent(in) :: field(*); integer(c_int64_t), intent(inout) :: x
        end function
        logical(c_bool) function dwq_result_double(result, field, x) bind(C); import
            type(c_ptr), value :: result; character(kind=c_char), intent(in) :: field(*); real(c_double), intent(inout) :: x
        end function
        logical(c_bool) function dwq_result_string(result, field, text) bind(C); import
            type(c_ptr), value :: result; character(kind=c_char), intent(in) :: field(*); type(c_ptr), intent(inout) :: text
        end function
        integer(c_size_t) function dwq_result_n_values(result, rank) bind(C); import
            type(c_ptr), value :: result; integer(c_int), value :: rank
        end function
        type(c_ptr) function dwq_result_value(result, rank, index) bind(C); import
            type(c_ptr), value :: result; integer(c_int), value :: rank; integer(c_size_t), value :: index
        end function
        logical(c_bool) function dwq_read_bool(value, x) bind(C); import
            type(c_ptr), value :: value; logical(c_bool), intent(inout) :: x
        end function
        logical(c_bool) function dwq_read_int(value, x) bind(C); import
            type(c_ptr), value :: value; integer(c_int), intent(inout) :: x
        end function
        logical(c_bool) function dwq_read_int64(value, x) bind(C); import
            type(c_ptr), value :: value; integer(c_int64_t), intent(inout) :: x
        end function
        logical(c_bool) function dwq_read_uint64(value, x) bind(C); import
            type(c_ptr), value :: value; integer(c_int64_t), intent(inout) :: x
        end function
        logical(c_bool) function dwq_read_float(value, x) bind(C); import
            type(c_ptr), value :: value; real(c_float), intent(inout) :: x
        end function
        logical(c_bool) function dwq_read_double(value, x) bind(C); import
            type(c_ptr), value :: value; real(c_double), intent(inout) :: x
        end function
        logical(c_bool) function dwq_read_string(value, text) bind(C); import
            type(c_ptr), value :: value; type(c_ptr), intent(inout) :: text
        end function
        logical(c_bool) function dwq_value_data(value, type, ndim, shape, data) bind(C); import
            type(c_ptr), value :: value; integer(c_int), intent(inout) :: type, ndim
            integer(c_size_t), intent(inout) :: shape(8); type(c_ptr), intent(inout) :: data
        end function
        integer(c_int) function dwq_value_kind(value) bind(C); import; type(c_ptr), value :: value; end function
        integer(c_size_t) function dwq_value_n(value) bind(C); import; type(c_ptr), value :: value; end function
        type(c_ptr) function dwq_value_item(value, index) bind(C); import
            type(c_ptr), value :: value; integer(c_size_t), value :: index
        end function
        type(c_ptr) function dwq_value_name(value, index) bind(C); import
            type(c_ptr), value :: value; integer(c_size_t), value :: index
        end function
        type(c_ptr) function dwq_value_entry(value, name) bind(C); import
            type(c_ptr), value :: value; character(kind=c_char), intent(in) :: name(*)
        end function
        type(c_ptr) function dwq_map_find(map, name) bind(C); import
            type(dwq_kwargs_t), value :: map; character(kind=c_char), intent(in) :: name(*)
        end function
        integer(c_size_t) function dwq_type_size(type) bind(C); import; integer(c_int), value :: type; end function

        ! In a call.
        integer(c_int64_t) function dwq_call_id(call) bind(C); import; type(c_ptr), value :: call; end function
        integer(c_int) function dwq_call_rank(call) bind(C); import; type(c_ptr), value :: call; end function
        integer(c_int) function dwq_call_size(call) bind(C); import; type(c_ptr), value :: call; end function
        integer(c_int) function dwq_call_comm_f(call) bind(C); import; type(c_ptr), value :: call; end function
        integer(c_size_t) function dwq_call_n_args(call) bind(C); import; type(c_ptr), value :: call; end function
        type(dwq_kwargs_t) function dwq_call_kwargs(call) bind(C); import; type(c_ptr), value :: call; end function
        type(c_ptr) function dwq_call_arg(call, index) bind(C); import
            type(c_ptr), value :: call; integer(c_size_t), value :: index
        end function
        type(c_ptr) function dwq_call_kwarg(call, name) bind(C); import
            type(c_ptr), value :: call; character(kind=c_char), intent(in) :: name(*)
        end function
        type(c_ptr) function dwq_call_alloc_data(call, type, ndim, shape) bind(C); import
            type(c_ptr), value :: call; integer(c_int), value :: type, ndim; integer(c_size_t), intent(in) :: shape(*)
        end function
        integer(c_int) function dwq_call_return_built(call, builder) bind(C); import
            type(c_ptr), value :: call, builder
        end function
        integer(c_int) function dwq_call_fail_text(call, code, text) bind(C); import
            type(c_ptr), value :: call; integer(c_int), value :: code; character(kind=c_char), intent(in) :: text(*)
        end function
        integer(c_int) function dwq_call_stop(call) bind(C); import; type(c_ptr), value :: call; end function
        real(c_double) function dwq_call_time_left(call) bind(C); import; type(c_ptr), value :: call; end function
        logical(c_bool) function dwq_call_agree(call, ok) bind(C); import
            type(c_ptr), value :: call; logical(c_bool), value :: ok
        end function
    end interface

contains

    ! A copy of a text of the library, which ends with c_null_char ("" of c_null_ptr).
    function dwq_text(text) result(copy)
        type(c_ptr), intent(in) :: text
        character(:), allocatable :: copy
        character(kind=c_char), pointer :: letters(:)
        integer :: i

        copy = ""
        if (.not. c_associated(text)) return
        call c_f_pointer(text, letters, [huge(0)])
        i = 1
        do while (letters(i) /= c_null_char)
            copy = copy//letters(i)
            i = i + 1
        end do
    end function
end module dwq
